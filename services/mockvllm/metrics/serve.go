package metrics

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// ServeHTTP answers every request whose path begins with /metrics: GET /metrics itself is vLLM's own route, and always
// the plain text. All other paths and methods meet the handler of prometheus_client that is mounted behind it.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || r.URL.Path != "/metrics" {
		m.negotiated(w, r)
		return
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	*buf = m.append((*buf)[:0], form{merged: m.merged})
	w.Header().Set("Content-Type", "text/plain; version=1.0.0; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(*buf)))
	_, _ = w.Write(*buf) // the client may have left
}

// negotiated heeds Accept, Accept-Encoding and name[]. Its answers are chunked.
func (m *Metrics) negotiated(w http.ResponseWriter, r *http.Request) {
	f, contentType := negotiate(strings.Join(r.Header.Values("Accept"), ","))
	f.merged = m.merged
	for _, name := range r.URL.Query()["name[]"] {
		if name != "" {
			if f.only == nil {
				f.only = map[string]bool{}
			}
			f.only[name] = true
		}
	}
	w.Header().Set("Content-Type", contentType)
	zipped := acceptsGzip(strings.Join(r.Header.Values("Accept-Encoding"), ","))
	if zipped {
		w.Header().Set("Content-Encoding", "gzip")
	}
	if r.Method == http.MethodHead {
		return
	}
	_ = http.NewResponseController(w).Flush() // so that a short body has no length
	text := m.append(nil, f)
	if !zipped {
		_, _ = w.Write(text)
		return
	}
	z := gzip.NewWriter(w)
	_, _ = z.Write(text)
	_ = z.Close()
}

// negotiate is how prometheus_client for Python reads Accept: the first kind that it knows counts, whatever the weights.
func negotiate(accept string) (form, string) {
	for kind := range strings.SplitSeq(accept, ",") {
		mediaType, parameters, _ := strings.Cut(kind, ";")
		version, escape := "", underscores
		for p := range strings.SplitSeq(parameters, ";") {
			key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
			switch {
			case key == "version" && version == "":
				version = value
			case key == "escaping" && (value == string(utf8) || value == string(dots) || value == string(values)):
				escape = escaping(value)
			}
		}
		switch mediaType = strings.TrimSpace(mediaType); {
		case mediaType == "application/openmetrics-text" && version == "":
			return form{open: true, escape: underscores}, "application/openmetrics-text; version=1.0.0; charset=utf-8"
		case mediaType == "application/openmetrics-text" && atLeastOne(version):
			return form{open: true, escape: escape}, "application/openmetrics-text; version=" + version + "; charset=utf-8; escaping=" + string(escape)
		case mediaType == "text/plain" && atLeastOne(version):
			return form{escape: escape}, "text/plain; version=1.0.0; charset=utf-8; escaping=" + string(escape)
		}
	}
	return form{}, "text/plain; version=0.0.4; charset=utf-8"
}

// atLeastOne compares with 1.0.0 as Python compares tuples: 1.0 is less, being shorter.
func atLeastOne(version string) bool {
	parts := strings.Split(version, ".")
	for i, least := range []int{1, 0, 0} {
		if i == len(parts) {
			return false
		}
		n, err := strconv.Atoi(parts[i])
		if err != nil || n < least {
			return false
		}
		if n > least {
			return true
		}
	}
	return true
}

func acceptsGzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		name, _, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return true
		}
	}
	return false
}

package promclient

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
)

// Serve answers as the ASGI application of make_asgi_app does: it heeds Accept, Accept-Encoding and name[], for every path and
// method. text writes the families; merged says that they are those of several processes. The answer is chunked.
func Serve(w http.ResponseWriter, r *http.Request, merged bool, text func(b []byte, f Format) []byte) {
	f, contentType := negotiate(strings.Join(r.Header.Values("Accept"), ","))
	f.Merged = merged
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
	body := text(nil, f)
	if !zipped {
		_, _ = w.Write(body)
		return
	}
	z := gzip.NewWriter(w)
	_, _ = z.Write(body)
	_ = z.Close()
}

// negotiate is how prometheus_client for Python reads Accept: the first kind that it knows counts, whatever the weights.
func negotiate(accept string) (Format, string) {
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
			return Format{open: true, escape: underscores}, "application/openmetrics-text; version=1.0.0; charset=utf-8"
		case mediaType == "application/openmetrics-text" && atLeastOne(version):
			return Format{open: true, escape: escape}, "application/openmetrics-text; version=" + version + "; charset=utf-8; escaping=" + string(escape)
		case mediaType == "text/plain" && atLeastOne(version):
			return Format{escape: escape}, "text/plain; version=1.0.0; charset=utf-8; escaping=" + string(escape)
		}
	}
	return Format{}, "text/plain; version=0.0.4; charset=utf-8"
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

//go:build linux

package http1

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/fluidmcp/fluidmcp/internal/httpfield"
	"github.com/fluidmcp/fluidmcp/internal/reqctx"
)

// refusal is a request that is not answered by the handler.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return r.message }

func refuse(status int, message string) error { return &refusal{status, message} }

func malformed(message string) error { return refuse(http.StatusBadRequest, message) }

var (
	errHeadTooLarge = refuse(http.StatusRequestHeaderFieldsTooLarge, "The request's header is too large.")
	errBareLF       = malformed("A line of the header does not end with CRLF.")
)

// framing is how the body of a request ends.
type framing struct {
	length  int64 // -1 for chunks
	close   bool  // no further request follows on the connection
	expects bool  // the client waits for 100 Continue
}

// incoming is a request and what it consists of, in one piece of memory: most of it lives and dies together.
type incoming struct {
	http.Request
	framing framing

	ctx    reqctx.Context
	url    url.URL
	body   body
	values [usualFields]string // of the header, each a list of its own
}

// usualFields is how many fields the requests of most clients have at most.
const usualFields = 12

// headEnd returns the length of the head that b begins with, up to and with its blank line, or 0 when it is not there yet.
// What stands before from was searched already.
func headEnd(b []byte, from int) (int, error) {
	for at := from; ; {
		n := bytes.IndexByte(b[at:], '\n')
		if n < 0 {
			return 0, nil
		}
		at += n
		if at == 0 || b[at-1] != '\r' {
			return 0, errBareLF
		}
		at++
		if bytes.HasSuffix(b[:at], []byte("\r\n\r\n")) {
			return at, nil
		}
	}
}

// parseHead reads a head, which ends with a blank line. The context is begun.
func (r *incoming) parseHead(head string) error {
	line, rest, _ := strings.Cut(head, "\r\n")
	err := r.parseRequestLine(line)
	if err != nil {
		return err
	}
	if r.Header, err = parseFields(rest, r.values[:]); err != nil {
		return err
	}
	if err := setHost(&r.Request); err != nil {
		return err
	}
	r.framing, err = parseFraming(&r.Request)
	r.ContentLength = r.framing.length
	return err
}

func (r *incoming) parseRequestLine(line string) error {
	method, rest, ok := strings.Cut(line, " ")
	target, version, ok2 := strings.Cut(rest, " ")
	if !ok || !ok2 || !httpfield.IsToken(method) || strings.IndexByte(line, '\r') >= 0 || strings.Contains(version, " ") {
		return malformed("The request line is malformed.")
	}
	r.Request = *(&http.Request{Method: method, RequestURI: target, Proto: version, ProtoMajor: 1, URL: &r.url}).WithContext(&r.ctx) // allocates nothing
	switch version {
	case "HTTP/1.1":
		r.ProtoMinor = 1
	case "HTTP/1.0":
	default:
		if _, _, ok := http.ParseHTTPVersion(version); !ok {
			return malformed("The request line is malformed.")
		}
		return refuse(http.StatusHTTPVersionNotSupported, "This server speaks HTTP/1.1.")
	}
	if method == http.MethodConnect {
		return refuse(http.StatusMethodNotAllowed, "This server is no tunnel.")
	}
	if !parseTarget(&r.url, method, target) {
		return malformed("The request's target is malformed.")
	}
	return nil
}

// parseTarget takes the forms of RFC 9112, section 3.2, but for that of CONNECT. It reports false for what is none of them.
func parseTarget(to *url.URL, method, target string) bool {
	simple := true
	for i := range len(target) {
		c := target[i]
		if c <= ' ' || c >= 0x7f {
			return false
		}
		simple = simple && (c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '-' && c <= '9' || c == '_') // - . / and digits
	}
	switch {
	case target == "*" && method == http.MethodOptions:
		to.Path = "*"
		return true
	case strings.HasPrefix(target, "/") && simple && !strings.HasPrefix(target, "//"):
		to.Path = target // nothing in it is escaped or has a meaning
		return true
	}
	u, err := url.ParseRequestURI(target)
	if err != nil || target[0] != '/' && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return false
	}
	*to = *u
	return true
}

// parseFields reads the lines of a header, which end with a blank one. values is room for the lists of one that most names have.
func parseFields(rest string, values []string) (http.Header, error) {
	n := strings.Count(rest, "\n")
	header := make(http.Header, n)
	if n > len(values) {
		values = make([]string, n) // one allocation for all of them
	}
	for {
		line, next, ok := strings.Cut(rest, "\r\n")
		if !ok || line == "" {
			return header, nil
		}
		rest = next
		name, value, ok := strings.Cut(line, ":")
		if name = httpfield.Canonical(name); !ok || name == "" {
			return nil, malformed("A line of the header is malformed.") // folded lines and spaces before the colon, too
		}
		if value = httpfield.Trim(value); !httpfield.IsValue(value) {
			return nil, malformed("A value of the header has control characters.")
		}
		if before := header[name]; before != nil {
			header[name] = append(before, value)
			continue
		}
		one := values[:1:1]
		values = values[1:]
		one[0] = value
		header[name] = one
	}
}

// setHost takes the host out of the header (RFC 9112, section 3.2.2).
func setHost(r *http.Request) error {
	hosts := r.Header["Host"]
	if len(hosts) > 1 || len(hosts) == 0 && r.ProtoMinor > 0 {
		return malformed("The header has to name one host.")
	}
	if len(hosts) == 1 {
		if !httpguts.ValidHostHeader(hosts[0]) {
			return malformed("The host is malformed.")
		}
		r.Host = hosts[0]
		delete(r.Header, "Host")
	}
	if r.URL.Host != "" {
		r.Host = r.URL.Host
	}
	return nil
}

// parseFraming decides where the body ends (RFC 9112, section 6). Whatever leaves a doubt is refused.
func parseFraming(r *http.Request) (framing, error) {
	h := r.Header
	var f framing
	f.close = httpguts.HeaderValuesContainsToken(h["Connection"], "close") ||
		r.ProtoMinor == 0 && !httpguts.HeaderValuesContainsToken(h["Connection"], "keep-alive")
	codings, lengths := h["Transfer-Encoding"], h["Content-Length"]
	switch {
	case len(codings) > 0 && (len(lengths) > 0 || r.ProtoMinor == 0):
		return f, malformed("The request has both a length and chunks, or chunks in HTTP/1.0.")
	case len(codings) > 1 || len(codings) == 1 && !strings.EqualFold(codings[0], "chunked"):
		return f, refuse(http.StatusNotImplemented, "The only transfer coding is chunked.")
	case len(codings) == 1:
		f.length = -1
		delete(h, "Transfer-Encoding")
		r.TransferEncoding = []string{"chunked"}
	case len(lengths) > 1:
		return f, malformed("The request has two lengths.")
	case len(lengths) == 1:
		n, err := strconv.ParseUint(lengths[0], 10, 63)
		if err != nil || lengths[0][0] == '+' {
			return f, malformed("The request's length is malformed.")
		}
		f.length = int64(n)
	}
	if expect := h["Expect"]; len(expect) > 0 {
		if len(expect) > 1 || !strings.EqualFold(expect[0], "100-continue") {
			return f, refuse(http.StatusExpectationFailed, "The only expectation is 100-continue.")
		}
		f.expects = r.ProtoMinor > 0 && f.length != 0
	}
	return f, nil
}

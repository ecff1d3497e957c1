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

// special are the values of the fields that are for the server itself.
type special struct {
	httpfield.Framing
	hosts, expect []string
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
	line, rest := cutLine(head)
	err := r.parseRequestLine(line)
	if err != nil {
		return err
	}
	special, err := r.parseFields(rest)
	if err != nil {
		return err
	}
	if err := r.setHost(special.hosts); err != nil {
		return err
	}
	r.framing, err = r.parseFraming(special)
	r.ContentLength = r.framing.length
	return err
}

// cutLine takes the first line of a head, all of whose lines end with CRLF (headEnd).
func cutLine(head string) (line, rest string) {
	n := strings.IndexByte(head, '\n')
	return head[:n-1], head[n+1:]
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

// What a byte is in a request's target.
const (
	noByte    byte = iota
	otherByte      // it may have a meaning
	plainByte      // it means itself
)

var inTarget = func() (t [256]byte) {
	for c := byte('!'); c < 0x7f; c++ {
		t[c] = otherByte
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '-' && c <= '9' || c == '_' { // - . / and digits
			t[c] = plainByte
		}
	}
	return t
}()

// parseTarget takes the forms of RFC 9112, section 3.2, but for that of CONNECT. It reports false for what is none of them.
func parseTarget(to *url.URL, method, target string) bool {
	least := plainByte
	for i := range len(target) {
		least = min(least, inTarget[target[i]])
	}
	switch {
	case least == noByte:
		return false
	case target == "*" && method == http.MethodOptions:
		to.Path = "*"
		return true
	case strings.HasPrefix(target, "/") && least == plainByte && !strings.HasPrefix(target, "//"):
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

// parseFields reads the lines of a header, which end with a blank one. The host is no part of the header.
func (r *incoming) parseFields(rest string) (special, error) {
	n := strings.Count(rest, "\n")
	r.Header = make(http.Header, n)
	values := r.values[:]
	if n > len(values) {
		values = make([]string, n) // one allocation for all of them
	}
	var found special
	for {
		var line string
		if line, rest = cutLine(rest); line == "" {
			return found, nil
		}
		name, value, ok := strings.Cut(line, ":")
		if name = httpfield.Canonical(name); !ok || name == "" {
			return found, malformed("A line of the header is malformed.") // folded lines and spaces before the colon, too
		}
		if value = httpfield.Trim(value); !httpfield.IsValue(value) {
			return found, malformed("A value of the header has control characters.")
		}
		list := values[:1:1]
		list[0], values = value, values[1:]
		if name == "Host" {
			found.hosts = with(found.hosts, list)
			continue
		}
		list = with(r.Header[name], list)
		r.Header[name] = list
		if name == "Expect" {
			found.expect = list
		}
		found.Note(name, list)
	}
}

// with is the values before and one more, or the list that it came in where there are none.
func with(before, one []string) []string {
	if before == nil {
		return one
	}
	return append(before, one[0])
}

// setHost finds the host (RFC 9112, section 3.2.2).
func (r *incoming) setHost(hosts []string) error {
	if len(hosts) > 1 || len(hosts) == 0 && r.ProtoMinor > 0 {
		return malformed("The header has to name one host.")
	}
	if len(hosts) == 1 {
		if !httpguts.ValidHostHeader(hosts[0]) {
			return malformed("The host is malformed.")
		}
		r.Host = hosts[0]
	}
	if r.URL.Host != "" {
		r.Host = r.URL.Host
	}
	return nil
}

// parseFraming decides where the body ends (RFC 9112, section 6). Whatever leaves a doubt is refused.
func (r *incoming) parseFraming(s special) (framing, error) {
	var f framing
	f.close = httpguts.HeaderValuesContainsToken(s.Connection, "close") ||
		r.ProtoMinor == 0 && !httpguts.HeaderValuesContainsToken(s.Connection, "keep-alive")
	codings, lengths := s.Codings, s.Lengths
	switch {
	case len(codings) > 0 && (len(lengths) > 0 || r.ProtoMinor == 0):
		return f, malformed("The request has both a length and chunks, or chunks in HTTP/1.0.")
	case len(codings) > 1 || len(codings) == 1 && !strings.EqualFold(codings[0], "chunked"):
		return f, refuse(http.StatusNotImplemented, "The only transfer coding is chunked.")
	case len(codings) == 1:
		f.length = -1
		delete(r.Header, "Transfer-Encoding")
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
	if expect := s.expect; len(expect) > 0 {
		if len(expect) > 1 || !strings.EqualFold(expect[0], "100-continue") {
			return f, refuse(http.StatusExpectationFailed, "The only expectation is 100-continue.")
		}
		f.expects = r.ProtoMinor > 0 && f.length != 0
	}
	return f, nil
}

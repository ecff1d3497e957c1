package head

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/fluidmcp/fluidmcp/internal/httpfield"
)

// Head is a request without its body, and what it consists of, in one piece of memory: most of it lives and dies together.
type Head struct {
	http.Request
	Framing Framing

	url    url.URL
	values [usualFields]string // of the header, each a list of its own
}

// End returns the length of the head that b begins with, up to and with its blank line, or 0 when it is not there yet.
// What stands before from was searched already.
func End(b []byte, from int) (int, error) {
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

// Parse reads a head, all of whose lines End has seen to end with CRLF, the last one being blank, into r, which is zero. The request
// gets ctx for its context. The error is a *Refusal.
func (r *Head) Parse(ctx context.Context, head string) error {
	line, rest := cutLine(head)
	err := r.parseRequestLine(ctx, line)
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
	r.Framing, err = r.parseFraming(special)
	r.ContentLength = r.Framing.Length
	return err
}

// cutLine takes the first line of a head, all of whose lines end with CRLF (End).
func cutLine(head string) (line, rest string) {
	n := strings.IndexByte(head, '\n')
	return head[:n-1], head[n+1:]
}

func (r *Head) parseRequestLine(ctx context.Context, line string) error {
	method, rest, ok := strings.Cut(line, " ")
	target, version, ok2 := strings.Cut(rest, " ")
	if !ok || !ok2 || !httpfield.IsToken(method) || strings.IndexByte(line, '\r') >= 0 || strings.Contains(version, " ") {
		return Malformed("The request line is malformed.")
	}
	r.Request = *(&http.Request{Method: method, RequestURI: target, Proto: version, ProtoMajor: 1, URL: &r.url}).WithContext(ctx) // allocates nothing
	switch version {
	case "HTTP/1.1":
		r.ProtoMinor = 1
	case "HTTP/1.0":
	default:
		if _, _, ok := http.ParseHTTPVersion(version); !ok {
			return Malformed("The request line is malformed.")
		}
		return Refuse(http.StatusHTTPVersionNotSupported, "This server speaks HTTP/1.1.")
	}
	if method == http.MethodConnect {
		return Refuse(http.StatusMethodNotAllowed, "This server is no tunnel.")
	}
	if !parseTarget(&r.url, method, target) {
		return Malformed("The request's target is malformed.")
	}
	return nil
}

// setHost finds the host (RFC 9112, section 3.2.2).
func (r *Head) setHost(hosts []string) error {
	if len(hosts) > 1 || len(hosts) == 0 && r.ProtoMinor > 0 {
		return Malformed("The header has to name one host.")
	}
	if len(hosts) == 1 {
		if !httpguts.ValidHostHeader(hosts[0]) {
			return Malformed("The host is malformed.")
		}
		r.Host = hosts[0]
	}
	if r.URL.Host != "" {
		r.Host = r.URL.Host
	}
	return nil
}

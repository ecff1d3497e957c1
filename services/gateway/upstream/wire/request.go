package wire

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/fluidmcp/fluidmcp/internal/httpfield"
)

// Field is a line of a header.
type Field struct{ Name, Value string }

// Fields are those of a header but for some, and more.
type Fields struct {
	Of     http.Header
	Except func(name string) bool // nil for none
	More   []Field
}

// AppendHead appends the head of req: request line and fields, in place of req.Header. length is that of its body, -1 for one that will
// be sent in chunks. Host, Content-Length, Transfer-Encoding and Trailer are ours to say and left out of the fields.
func AppendHead(b []byte, req *http.Request, fields Fields, length int64) ([]byte, error) {
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	target := req.URL.RequestURI()
	switch {
	case !httpfield.IsToken(method):
		return b, fmt.Errorf("the method %.40q is not one", method)
	case !visible(target):
		return b, fmt.Errorf("the URL has spaces or control characters: %.200q", req.URL.EscapedPath()) // its query may have a secret
	case !visible(host):
		return b, fmt.Errorf("the host %.200q has spaces or control characters", host)
	}
	b = append(append(append(b, method...), ' '), target...)
	b = append(append(append(b, " HTTP/1.1\r\nHost: "...), host...), "\r\n"...)
	var err error
	for name, values := range fields.Of {
		switch name {
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
			continue
		}
		if fields.Except != nil && fields.Except(name) {
			continue
		}
		for _, value := range values {
			if b, err = appendField(b, name, value); err != nil {
				return b, err
			}
		}
	}
	for _, f := range fields.More {
		if b, err = appendField(b, f.Name, f.Value); err != nil {
			return b, err
		}
	}
	return append(appendFraming(b, req, method, length), "\r\n"...), nil
}

func appendField(b []byte, name, value string) ([]byte, error) {
	if !httpfield.IsToken(name) || !httpfield.IsValue(value) {
		return b, fmt.Errorf("the header %.40q has characters that none may have", name) // its value may be a secret
	}
	return append(append(append(append(b, name...), ": "...), value...), "\r\n"...), nil
}

func appendFraming(b []byte, req *http.Request, method string, length int64) []byte {
	if req.Close {
		b = append(b, "Connection: close\r\n"...)
	}
	switch {
	case length < 0:
		return append(b, "Transfer-Encoding: chunked\r\n"...)
	case length > 0 || method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch:
		return append(strconv.AppendInt(append(b, "Content-Length: "...), length, 10), "\r\n"...)
	}
	return b
}

// visible tells whether s can stand in a request line.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

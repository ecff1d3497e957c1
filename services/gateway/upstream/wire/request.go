package wire

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/fluidmcp/fluidmcp/internal/httpfield"
)

// AppendHead appends the head of req: request line and fields. length is that of its body, -1 for one that will be sent in
// chunks. Host, Content-Length, Transfer-Encoding and Trailer of req.Header are ours to say and left out.
func AppendHead(b []byte, req *http.Request, length int64) ([]byte, error) {
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
	for name, values := range req.Header {
		switch name {
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
			continue
		}
		for _, value := range values {
			if !httpfield.IsToken(name) || !httpfield.IsValue(value) {
				return b, fmt.Errorf("the header %.40q has characters that none may have", name) // its value may be a secret
			}
			b = append(append(append(append(b, name...), ": "...), value...), "\r\n"...)
		}
	}
	return append(appendFraming(b, req, method, length), "\r\n"...), nil
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

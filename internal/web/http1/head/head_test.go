package head_test

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"reflect"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/web/http1/head"
)

func TestEnd(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		from int
		want int
		bare bool
	}{
		"nothing":            {"", 0, 0, false},
		"not there yet":      {"GET / HTTP/1.1\r\nHost: h\r\n", 0, 0, false},
		"with a body behind": {"GET / HTTP/1.1\r\n\r\nabc\n", 0, 18, false},
		"searched before":    {"GET / HTTP/1.1\r\n\r\nabc", 17, 18, false},
		"a bare line feed":   {"GET / HTTP/1.1\r\nHost: h\n\r\n", 0, 0, true},
		"one alone":          {"\n", 0, 0, true},
	} {
		n, err := head.End([]byte(c.text), c.from)
		if _, refused := errors.AsType[*head.Refusal](err); n != c.want || refused != c.bare {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

// TestRefusals: what is wrong with a head decides about the status.
func TestRefusals(t *testing.T) {
	for text, status := range map[string]int{
		"GET /\r\n\r\n":                                                                         400,
		"GET / HTTP/2.0\r\nHost: h\r\n\r\n":                                                     505,
		"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n":                                               405,
		"GET a HTTP/1.1\r\nHost: h\r\n\r\n":                                                     400,
		"GET / HTTP/1.1\r\n\r\n":                                                                400,
		"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n":                                          400,
		"GET / HTTP/1.1\r\nHost: h\r\na : b\r\n\r\n":                                            400,
		"GET / HTTP/1.1\r\nHost: h\r\nA: \x01\r\n\r\n":                                          400,
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n":                              400,
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n":          400,
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n":                         501,
		"POST / HTTP/1.1\r\nHost: h\r\nExpect: more\r\n\r\n":                                    417,
		"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n":                                 400,
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n": 400,
	} {
		var h head.Head
		refusal, ok := errors.AsType[*head.Refusal](h.Parse(t.Context(), text))
		if !ok || refusal.Status != status || refusal.Message == "" {
			t.Errorf("%q: %+v, want %d", text, refusal, status)
		}
	}
}

// FuzzParse holds Parse against net/http: a head that is taken here is taken there, and means the same.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"POST /a%20b?c=d HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nA: 1\r\na: 2\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h:80\r\nTransfer-Encoding: chunked\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n",
		"GET http://u/ HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nhost:h\r\n\r\n",
		"GET //a/../b HTTP/1.1\r\nHost: [::1]\r\nX:\t\xff \r\n\r\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := head.End(text, 0)
		if err != nil || n == 0 || bytes.HasPrefix(text, []byte("\r\n")) {
			return
		}
		var got head.Head
		if got.Parse(t.Context(), string(text[:n])) != nil {
			return
		}
		want, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text[:n])))
		if err != nil {
			t.Fatalf("%q: net/http refuses it: %v", text[:n], err)
		}
		same := got.Method == want.Method && got.RequestURI == want.RequestURI && got.Proto == want.Proto && got.Host == want.Host &&
			got.URL.String() == want.URL.String() && got.ContentLength == want.ContentLength && got.Framing.Close == want.Close &&
			reflect.DeepEqual(got.TransferEncoding, want.TransferEncoding)
		if !same {
			t.Fatalf("%q: %+v\nnet/http has %+v", text[:n], got.Request, want)
		}
		for name, values := range want.Header {
			if !reflect.DeepEqual(got.Header[name], values) {
				t.Fatalf("%q: %s is %q, net/http has %q", text[:n], name, got.Header[name], values)
			}
		}
	})
}

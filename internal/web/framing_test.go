package web_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/web"
)

// smuggled is a request that only a server sees which takes the end of the request before for elsewhere than its sender does.
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

// TestFraming sends what could mean different requests to a proxy and to the server. Each is refused, or has the one meaning that
// RFC 9112 gives it; after a refusal the connection is closed.
func TestFraming(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	url, _ := serve(t, web.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		seen = append(seen, r.URL.Path+" "+string(body))
		mu.Unlock()
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	})})
	// take empties what was seen.
	take := func() []string {
		mu.Lock()
		defer mu.Unlock()
		all := seen
		seen = nil
		return all
	}
	// f sends the lines of a header and what follows. It wants the statuses of the answers, and the requests that arrive.
	f := func(name, request string, statuses []int, requests ...string) {
		t.Run(name, func(t *testing.T) {
			take()
			answers := bufio.NewReader(strings.NewReader(raw(t, url, request)))
			var got []int
			for {
				resp, err := http.ReadResponse(answers, nil)
				if err != nil {
					if !errors.Is(err, io.ErrUnexpectedEOF) {
						t.Errorf("answer %d: %v", len(got)+1, err)
					}
					break
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				got = append(got, resp.StatusCode)
			}
			if saw := take(); !slices.Equal(got, statuses) || !slices.Equal(saw, requests) {
				t.Errorf("answered %v, want %v; the handler saw %q, want %q", got, statuses, saw, requests)
			}
		})
	}
	const post = "POST / HTTP/1.1\r\nHost: x\r\n"
	refused := []int{http.StatusBadRequest}
	unknown := []int{http.StatusNotImplemented}

	for name, header := range map[string]string{
		"two lengths":              "Content-Length: 0\r\nContent-Length: 35",
		"two lengths in one":       "Content-Length: 0, 35",
		"length with a sign":       "Content-Length: +0",
		"negative length":          "Content-Length: -1",
		"hexadecimal length":       "Content-Length: 0x0",
		"length that overflows":    "Content-Length: 18446744073709551616",
		"empty length":             "Content-Length:",
		"space before the colon":   "Content-Length : 35",
		"tab before the colon":     "Transfer-Encoding\t: chunked",
		"no colon":                 "Content-Length",
		"name with a space":        "Content Length: 35",
		"bare CR in a value":       "X: a\rTransfer-Encoding: chunked",
		"NUL in a value":           "X: a\x00b",
		"vertical tab in a value":  "Transfer-Encoding: \x0bchunked",
		"chunked, wrong length":    "Content-Length: z\r\nTransfer-Encoding: chunked",
		"two hosts":                "Host: y",
		"empty name":               ": x",
		"not ASCII in a name":      "Transfer\u2010Encoding: chunked",
		"the same length twice":    "Content-Length: 35\r\nContent-Length: 35",
		"chunks and a length":      "Content-Length: 3\r\nTransfer-Encoding: chunked",
		"folded value":             "X: a\r\n Content-Length: 9\r\nContent-Length: 5",
		"line that ends with LF":   "X: a\nContent-Length: 5",
		"two lengths, one chunked": "Content-Length: 1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked",
	} {
		f(name, post+header+"\r\n\r\n"+smuggled, refused)
	}
	for name, header := range map[string]string{
		"chunked twice":                    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
		"chunked twice in one":             "Transfer-Encoding: chunked, chunked",
		"chunked and identity":             "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
		"identity":                         "Transfer-Encoding: identity",
		"compressed chunks":                "Transfer-Encoding: gzip, chunked",
		"nearly chunked":                   "Transfer-Encoding: xchunked",
		"quoted chunked":                   "Transfer-Encoding: \"chunked\"",
		"chunked with a parameter":         "Transfer-Encoding: chunked;q=1",
		"no transfer encoding":             "Transfer-Encoding:",
		"chunked with a space that is not": "Transfer-Encoding: chunked\u00a0",
	} {
		f(name, post+header+"\r\n\r\n"+smuggled, unknown)
	}
	for name, start := range map[string]string{
		"no host":                 "POST / HTTP/1.1\r\n\r\n",
		"host with a path":        "POST / HTTP/1.1\r\nHost: x/y\r\n\r\n",
		"host with a space":       "POST / HTTP/1.1\r\nHost: x y\r\n\r\n",
		"folded before any field": "POST / HTTP/1.1\r\n X: y\r\nHost: x\r\n\r\n",
		"no target":               "POST HTTP/1.1\r\nHost: x\r\n\r\n",
		"control byte in target":  "POST /\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
		"method with a colon":     "PO:ST / HTTP/1.1\r\nHost: x\r\n\r\n",
		"two spaces":              "POST  / HTTP/1.1\r\nHost: x\r\n\r\n",
		"no version":              "POST /\r\nHost: x\r\n\r\n",
		"version without a dot":   "POST / HTTP/11\r\nHost: x\r\n\r\n",
	} {
		f(name, start+smuggled, refused)
	}
	const chunked = post + "Transfer-Encoding: chunked\r\n\r\n"
	for name, body := range map[string]string{
		"size with a sign":           "+5\r\nhello\r\n0\r\n\r\n",
		"size with a prefix":         "0x5\r\nhello\r\n0\r\n\r\n",
		"size with an underscore":    "0_5\r\nhello\r\n0\r\n\r\n",
		"size that overflows":        "10000000000000005\r\nhello\r\n0\r\n\r\n",
		"no size":                    "\r\nhello\r\n0\r\n\r\n",
		"chunk longer than its size": "2\r\nhello\r\n0\r\n\r\n",
		"size line ends with LF":     "5\nhello\r\n0\r\n\r\n",
		"extension hides a line":     "5;a\nb\r\nhello\r\n0\r\n\r\n",
		"extension with a bare CR":   "5;a\rb\r\nhello\r\n0\r\n\r\n",
		"endless extension":          "5;" + strings.Repeat("a", 20<<10) + "\r\nhello\r\n0\r\n\r\n",
		"trailer without a colon":    "0\r\nhello\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			take()
			got := raw(t, url, chunked+body+smuggled)
			if saw := take(); !strings.HasPrefix(got, "HTTP/1.1 400 ") || strings.Count(got, "HTTP/1.1 ") != 1 || len(saw) > 1 {
				t.Errorf("answered %q, the handler saw %q", got, saw)
			}
		})
	}

	const end = "GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	ok := []int{http.StatusOK, http.StatusOK}
	f("an extension is ignored", chunked+"5;a=b\r\nhello\r\n0\r\n\r\n"+end, ok, "/ hello", "/next ")
	f("a trailer is no field", chunked+"5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n"+end, ok, "/ hello", "/next ")
	f("lines end with LF", "POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello"+end, refused)
	f("HTTP/1.0 knows no chunks", "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n24\r"+smuggled, refused)
	f("a body that was not read is no request", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 35\r\n\r\n"+smuggled[:35]+end, ok,
		"/ "+smuggled[:35], "/next ")
}

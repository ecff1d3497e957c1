package head_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/head"
)

var start = regexp.MustCompile(`^HTTP/1\.1 (.*)\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\nserver: uvicorn\r\n`)

// written is an answer's head without what all of them have: the reason phrase with its status, then the headers.
func written(t *testing.T, b []byte) string {
	t.Helper()
	found := start.FindSubmatch(b)
	if found == nil {
		t.Fatalf("%q", b)
	}
	return string(found[1]) + "\n" + strings.ReplaceAll(string(b[len(found[0]):]), "\r\n", "\n")
}

func TestAppend(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header http.Header
		want   string
	}{
		"as most answers": {200, http.Header{"Vary": {"Origin"}, "Content-Type": {"application/json"}, "Content-Length": {"2"}},
			"200 OK\ncontent-length: 2\ncontent-type: application/json\nvary: Origin\n"},
		"three others": {200, http.Header{"Vary": {"Origin"}, "Content-Type": {"application/json"}, "Allow": {"GET", "HEAD"}},
			"200 OK\nallow: GET\nallow: HEAD\ncontent-type: application/json\nvary: Origin\n"},
		"all layers": {307, http.Header{"X-Request-Id": {"1"}, "Connection": {"close"}, "Vary": {"Origin"}, "Location": {"/a"}, "Content-Length": {"0"},
			"Access-Control-Allow-Origin": {"*"}, "Content-Encoding": {"gzip"}, "Content-Type": {"a/b"}, "Retry-After": {"1"}},
			"307 Temporary Redirect\nretry-after: 1\ncontent-length: 0\nlocation: /a\ncontent-type: a/b\ncontent-encoding: gzip\n" +
				"access-control-allow-origin: *\nvary: Origin\nx-request-id: 1\nconnection: close\n"},
		"a preflight for all": {200, http.Header{"Access-Control-Allow-Methods": {"GET"}, "Access-Control-Max-Age": {"600"}, "Vary": {"Origin"},
			"Access-Control-Allow-Origin": {"*"}, "Content-Length": {"2"}},
			"200 OK\nvary: Origin\naccess-control-allow-origin: *\naccess-control-allow-methods: GET\naccess-control-max-age: 600\ncontent-length: 2\n"},
		"a preflight for one": {200, http.Header{"Access-Control-Allow-Methods": {"GET"}, "Access-Control-Max-Age": {"600"},
			"Access-Control-Allow-Origin": {"http://a"}, "Access-Control-Allow-Headers": {"b"}},
			"200 OK\naccess-control-allow-methods: GET\naccess-control-max-age: 600\naccess-control-allow-origin: http://a\naccess-control-allow-headers: b\n"},
		"what is the server's": {418, http.Header{"Date": {"never"}, "Server": {"me"}, "Transfer-Encoding": {"gzip"}, "Empty": {}},
			"418 I'm a Teapot\n"},
		"what would end a line": {200, http.Header{"A": {"b\r\nc: d\x00"}}, "200 OK\na: b  c: d \n"},
	} {
		if got := written(t, head.Append(nil, c.status, c.header)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAppendRefusal(t *testing.T) {
	const want = "400 Bad Request\ncontent-type: text/plain; charset=utf-8\ncontent-length: 3\nconnection: close\n\nno."
	if got := written(t, head.AppendRefusal(nil, http.StatusBadRequest, "no.")); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

package httptools_test

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/httptools"
)

// read parses all requests in b, each piece of at most step bytes, and tells of them: method, path, query, version, keep, upgrade,
// body; "..." where the body is not whole, "more" where no head is, "refused" for what cannot be one.
func read(b []byte, step int) string {
	var told []string
	for {
		if b = bytes.TrimLeft(b, "\r\n"); len(b) == 0 {
			break
		}
		var p httptools.Parser
		n, err := parse(&p, b, step)
		if err != nil {
			return "refused"
		}
		if n == 0 {
			break
		}
		head := string(b[:n])
		b = b[n:]
		text := fmt.Sprintf("%s %s %s %d.%d", p.Method, p.Path.Of(head), p.Query.Of(head), p.Major, p.Minor)
		if p.KeepAlive() {
			text += " keep"
		}
		if p.Upgrade {
			told = append(told, text+` upgrade ""`)
			break
		}
		body, rest, whole, err := readBody(&p, b)
		if err != nil {
			return "refused"
		}
		b = rest
		if text += fmt.Sprintf(" %q", body); !whole {
			text += " ..."
		}
		if told = append(told, text); !whole || !p.KeepAlive() {
			break
		}
	}
	if told == nil {
		return "more"
	}
	return strings.Join(told, " | ")
}

// parse shows the parser ever more of b.
func parse(p *httptools.Parser, b []byte, step int) (int, error) {
	for end := min(step, len(b)); ; end = min(end+step, len(b)) {
		if n, err := p.Parse(b[:end]); n > 0 || err != nil || end == len(b) {
			return n, err
		}
	}
}

func readBody(p *httptools.Parser, b []byte) (body, rest []byte, whole bool, err error) {
	if !p.Chunked {
		n := min(uint64(len(b)), p.Length)
		return b[:n], b[n:], n == p.Length, nil
	}
	var c httptools.Chunked
	for len(b) > 0 && !c.Done {
		n, err := c.Framing(b)
		if err != nil {
			return nil, nil, false, err
		}
		b = b[n:]
		if c.Left > 0 {
			n := int(min(uint64(len(b)), c.Left))
			body, b = append(body, b[:n]...), b[n:]
			c.Took(n)
		}
	}
	return body, b, c.Done, nil
}

// odd are requests and what httptools 0.9, set up as uvicorn does, makes of them.
func odd(t testing.TB) map[string]string {
	text, err := os.ReadFile("testdata/odd.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		quoted, want, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		sent, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		cases[sent] = want
	}
	return cases
}

func TestAsHTTPToolsReadsThem(t *testing.T) {
	for sent, want := range odd(t) {
		for _, step := range []int{len(sent), 1, 3} {
			if got := read([]byte(sent), step); got != want {
				t.Errorf("%q by %d bytes: %s, want %s", sent, step, got, want)
			}
		}
	}
}

// TestSmuggling: whatever two readers could split in two ways is refused.
func TestSmuggling(t *testing.T) {
	f := func(fields, body string) {
		t.Helper()
		sent := "POST / HTTP/1.1\r\n" + fields + "\r\n" + body
		if got := read([]byte(sent), len(sent)); got != "refused" {
			t.Errorf("%q: %s", sent, got)
		}
	}
	f("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")
	f("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n")
	f("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd")
	f("Content-Length: 3, 4\r\n", "abcd")
	f("Content-Length: 3\r\n 4\r\n", "abcd")
	f("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n")
	f("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")
	f("Transfer-Encoding:\x0bchunked\r\n", "0\r\n\r\n")
	f("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")
	f("A: b\rContent-Length: 3\r\n", "abc")
	f("A: b\nContent-Length: 3\r\n", "abc")
	f("A: b\x00\r\n", "")
	f("Transfer-Encoding: chunked\r\n", "1\r\nab\r\n0\r\n\r\n")
	f("Transfer-Encoding: chunked\r\n", "1\nab\r\n0\r\n\r\n")
	f("Transfer-Encoding: chunked\r\n", "0\r\nContent-Length: 3\r\n\r\n")
}

func TestBounds(t *testing.T) {
	f := func(length int, want string) {
		t.Helper()
		sent := "GET /" + strings.Repeat("a", length-1) + " HTTP/1.1\r\n\r\n"
		if got := read([]byte(sent), len(sent)); (got == "refused") != (want == "refused") {
			t.Errorf("a target of %d bytes: %.80s", length, got)
		}
	}
	f(60_000, "accepted")
	f(65_535, "accepted")
	f(65_536, "refused")
	many := "GET / HTTP/1.1\r\n" + strings.Repeat("A-Header: "+strings.Repeat("x", 200)+"\r\n", 1000) + "\r\n"
	if got := read([]byte(many), 4096); got != `GET /  1.1 keep ""` {
		t.Errorf("1000 headers: %s", got)
	}
}

func TestUnquote(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		if got := httptools.Unquote(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	f("/v1/%6Dodels", "/v1/models")
	f("/a%2fb%C3%a9", "/a/bé")
	f("/%zz%4%", "/%zz%4%")
	f("/%ff%fe", "/\ufffd\ufffd")
	f("/%e2%82x", "/\ufffdx")
	f("/%e2%82%e2%82%ac", "/\ufffd€")
	f("/%f0%9f%98", "/\ufffd")
	f("/%ed%a0%80", "/\ufffd\ufffd\ufffd")
	f("/%c0%af", "/\ufffd\ufffd")
}

func FuzzRead(f *testing.F) {
	for sent := range odd(f) {
		f.Add([]byte(sent), uint8(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, step uint8) {
		whole := read(b, max(1, len(b)))
		if pieces := read(b, 1+int(step)); pieces != whole {
			t.Errorf("%q by %d: %s, else %s", b, 1+int(step), pieces, whole)
		}
		// A refusal is final.
		if more := read(append(bytes.Clone(b), "\r\n\r\nGET / HTTP/1.1\r\n\r\n"...), 1<<20); whole == "refused" && more != whole {
			t.Errorf("%q: refused, but %s", b, more)
		}
	})
}

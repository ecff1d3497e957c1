package upstream_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

// TestEarlyAnswer: a server refuses a body of which it has read nothing, and its answer comes through.
func TestEarlyAnswer(t *testing.T) {
	const refusal = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 7\r\n\r\ntoo big"
	big := strings.Repeat("x", 16<<20)
	endless, end := io.Pipe()
	t.Cleanup(func() { end.Close() })
	f := func(name string, body io.Reader, after func(p *peer, answered <-chan bool)) {
		t.Run(name, func(t *testing.T) {
			answered := make(chan bool)
			defer close(answered)
			s := serve(t, func(p *peer) {
				p.head()
				p.say(refusal)
				after(p, answered)
			})
			transport := newTransport(t, upstream.Config{})
			resp, data, err := call(t, transport, "POST", s.URL, body)
			if err != nil || resp.StatusCode != 413 || data != "too big" {
				t.Errorf("%q, %v", data, err)
			}
			if open, idle := transport.Connections(); open != idle || idle > 0 && body == endless {
				t.Errorf("%d open, %d idle", open, idle)
			}
		})
	}
	waits := func(p *peer, _ <-chan bool) { p.gone() }
	f("small", strings.NewReader("{}"), waits)
	f("just small enough, not read", strings.NewReader(strings.Repeat("x", 63<<10)), func(_ *peer, answered <-chan bool) { <-answered })
	f("big, read on", strings.NewReader(big), waits)
	f("big, not read", strings.NewReader(big), func(_ *peer, answered <-chan bool) { <-answered })
	f("big, closed for writing", strings.NewReader(big), func(p *peer, _ <-chan bool) { _ = p.Conn.(*net.TCPConn).CloseWrite(); p.gone() })
	f("endless", endless, waits)
}

// TestUpload: a body of unknown length passes piece by piece, and one that breaks off breaks the request off.
func TestUpload(t *testing.T) {
	t.Run("pieces", func(t *testing.T) {
		pieces := make(chan string)
		s := serve(t, func(p *peer) {
			req, err := http.ReadRequest(p.in)
			if err != nil {
				return
			}
			buf := make([]byte, 9)
			for {
				n, err := req.Body.Read(buf)
				if err != nil {
					break
				}
				pieces <- string(buf[:n])
			}
			p.say(plain)
		})
		body, in := io.Pipe()
		go func() {
			for _, piece := range []string{"one", "two"} {
				_, _ = io.WriteString(in, piece)
				if got := <-pieces; got != piece {
					t.Errorf("got %q, want %q", got, piece)
				}
			}
			in.Close()
		}()
		transport := newTransport(t, upstream.Config{})
		mustCall(t, transport, s.URL, body)
		if _, idle := transport.Connections(); idle > 1 {
			t.Errorf("%d idle", idle)
		}
	})
	broken := errors.New("broken")
	f := func(name string, body io.Reader, length int64, want error) {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(p *peer) { p.request(); p.gone() })
			req := request(t, t.Context(), "POST", s.URL, body)
			req.ContentLength = length
			_, err := newTransport(t, upstream.Config{}).RoundTrip(req)
			if _, ok := errors.AsType[*upstream.BodyError](err); !ok || want != nil && !errors.Is(err, want) || upstream.KindOf(t.Context(), err) != upstream.Canceled {
				t.Errorf("got %v", err)
			}
		})
	}
	breaks := func(s string) io.Reader { return io.MultiReader(strings.NewReader(s), failing{broken}) }
	f("breaks", breaks("x"), -1, broken)
	f("breaks, small", breaks("x"), 9, broken)
	f("breaks, big", breaks("x"), 1<<20, broken)
	f("short, small", unknown("x"), 9, io.ErrUnexpectedEOF)
	f("short, big", unknown("x"), 1<<20, io.ErrUnexpectedEOF)
	f("long, small", unknown("xy"), 1, nil)
	f("long, big", unknown(strings.Repeat("x", 1<<20)), 1<<20-1, nil)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// closing notes whether a body was closed.
type closing struct {
	io.Reader
	closed chan bool
}

func (c closing) Close() error { close(c.closed); return nil }

// TestBodyClosed: a RoundTripper closes the request's body, whatever happens.
func TestBodyClosed(t *testing.T) {
	s := serve(t, ok)
	f := func(name, url string, length int64, header string) {
		t.Run(name, func(t *testing.T) {
			body := closing{strings.NewReader("hi"), make(chan bool)}
			req := request(t, t.Context(), "POST", url, body)
			req.ContentLength = length
			req.Header["X"] = []string{header}
			if resp, err := newTransport(t, upstream.Config{}).RoundTrip(req); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			await(t, "closing", body.closed)
		})
	}
	f("small", s.URL, 2, "")
	f("unknown length", s.URL, -1, "")
	f("wrong length", s.URL, 3, "")
	f("bad header", s.URL, 2, "a\r\nb: c")
	f("bad scheme", "ftp://h", 2, "")
	f("no server", "http://name.invalid", -1, "")
}

// TestPartsOfChunks: what has come of a chunk is not held back for what is still to come.
func TestPartsOfChunks(t *testing.T) {
	got := make(chan bool)
	parts := []struct{ sent, got string }{{"a\r\n01234", "01234"}, {"56789\r\n2\r\n", "56789"}, {"ab", "ab"}, {"\r\n1", ""}, {"\r\nc\r\n", "c"}, {"0\r\n\r\n", ""}}
	s := serve(t, func(p *peer) {
		p.request()
		p.say(chunkedHead)
		for _, part := range parts {
			p.say(part.sent)
			if part.got != "" {
				<-got
			}
		}
	})
	resp, err := newTransport(t, upstream.Config{}).RoundTrip(request(t, t.Context(), "GET", s.URL, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b := make([]byte, 64)
	for _, part := range parts {
		want := part.got
		if want == "" {
			continue
		}
		if n, err := io.ReadAtLeast(resp.Body, b, len(want)); string(b[:n]) != want || err != nil {
			t.Fatalf("got %q, %v, want %q", b[:n], err, want)
		}
		got <- true
	}
	if n, err := resp.Body.Read(b); n > 0 || err != io.EOF {
		t.Errorf("got %q, %v after the end", b[:n], err)
	}
}

package web_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/web"
)

const (
	brief = 200 * time.Millisecond // the patience of servers that end what stands still
	ample = 5 * brief              // of those that must not end what moves
)

// dribble is a body of which a piece comes now and then. It never ends.
type dribble struct {
	ctx   context.Context
	piece []byte
	pause time.Duration
}

func (d *dribble) Read(p []byte) (int, error) {
	select {
	case <-time.After(d.pause):
		return copy(p, d.piece), nil
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
}

// received waits for a value.
func received[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal(what + " does not come")
		panic("unreachable")
	}
}

func TestBodyThatStandsStill(t *testing.T) {
	f := func(name string, piece []byte, pause time.Duration) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inTime(t, brief, func(t *testing.T, c *http.Client, brief time.Duration) error { // the header has to come
				failure := make(chan error, 1)
				url, _ := serve(t, web.Server{Patience: brief, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, err := io.Copy(io.Discard, r.Body)
					failure <- err
					w.WriteHeader(http.StatusRequestTimeout)
				})})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				resp, err := c.Post(url, "text/plain", &dribble{ctx, piece, pause})
				if err != nil {
					return err
				}
				resp.Body.Close()
				if got := received(t, "the failure", failure); !errors.Is(got, web.ErrStalled) || resp.StatusCode != http.StatusRequestTimeout {
					return fmt.Errorf("the handler got %w, the client %s", got, resp.Status)
				}
				return nil
			})
		})
	}
	f("nothing comes", nil, 10*patience)
	f("a byte now and then", []byte("."), brief/4)
}

func TestBodyThatMovesIsTaken(t *testing.T) {
	t.Parallel()
	inTime(t, ample, func(t *testing.T, c *http.Client, ample time.Duration) error {
		end := make(chan error, 1)
		url, _ := serve(t, web.Server{Patience: ample, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			if n != 40<<10 && err == nil {
				err = fmt.Errorf("read %d", n)
			}
			end <- err
		})})
		slow := &dribble{t.Context(), make([]byte, 2<<10), ample / 10} // takes twice the patience
		resp, err := c.Post(url, "text/plain", io.LimitReader(slow, 40<<10))
		if err != nil {
			return err
		}
		resp.Body.Close()
		return received(t, "the end of the body", end)
	})
}

// raw sends bytes and returns everything that comes back until the server closes the connection.
func raw(t *testing.T, url, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the connection stays: %v after %q", err, answer)
	}
	return string(answer)
}

// A body that no handler reads must not hold the connection: net/http reads it on its own.
func TestUnreadBodyThatStandsStill(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic(http.ErrAbortHandler)
		}
		if r.URL.Path == "/close" {
			w.Header().Set("Connection", "close")
		}
		w.WriteHeader(http.StatusNotFound)
	})
	f := func(name, path, header, want string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var status string
			for limit := brief; limit < patience; limit *= 2 { // the header has to come in time
				url, _ := serve(t, web.Server{Patience: limit, Handler: h})
				got := raw(t, url, "POST "+path+" HTTP/1.1\r\nHost: x\r\n"+header+"\r\n\r\n")
				if status, _, _ = strings.Cut(got, "\r\n"); status == want {
					return
				}
			}
			t.Errorf("answered %q, want %q", status, want)
		})
	}
	const notFound = "HTTP/1.1 404 Not Found"
	f("announced", "/", "Content-Length: 10", notFound)
	f("chunked", "/", "Transfer-Encoding: chunked", notFound)
	f("the answer closes", "/close", "Content-Length: 10", notFound)
	f("100 was not sent", "/", "Content-Length: 10\r\nExpect: 100-continue", notFound)
	f("the handler aborts", "/panic", "Content-Length: 10", "")
}

func TestHeaderThatStandsStill(t *testing.T) {
	url, _ := serve(t, web.Server{Patience: brief, Handler: http.NotFoundHandler()})
	for name, request := range map[string]string{"none": "", "half": "GET / HTTP/1.1\r\nHost:", "half of HTTP/2": "PRI * HTTP/2.0\r\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := raw(t, url, request); strings.HasPrefix(got, "HTTP/1.1 2") {
				t.Errorf("answered %q", got)
			}
		})
	}
}

func TestHeaderThatIsTooLong(t *testing.T) {
	both(t, func(t *testing.T, c *http.Client) {
		url, _ := serve(t, web.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
		f := func(size, want int) {
			t.Helper()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Long", strings.Repeat("x", size))
			resp, err := c.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if resp.StatusCode != want || err != nil || want != http.StatusOK && !strings.Contains(string(body), `"code":"malformed_request"`) {
				t.Errorf("%d bytes: %s %s, %v", size, resp.Status, body, err)
			}
		}
		f(60<<10, http.StatusOK)
		f(80<<10, http.StatusRequestHeaderFieldsTooLarge)
	})
}

// What watches over a request must not end one whose handler takes its time: before it reads, after it has read, and between two
// pieces of its answer.
func TestHandlersMayTakeTheirTime(t *testing.T) {
	t.Parallel()
	inTime(t, brief, func(t *testing.T, c *http.Client, brief time.Duration) error {
		failures := make(chan error, 10)
		url, _ := serve(t, web.Server{Patience: brief, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			took := func(what string, err error) {
				time.Sleep(2 * brief)
				if err != nil || r.Context().Err() != nil {
					failures <- fmt.Errorf("%s: %v, context %v", what, err, context.Cause(r.Context()))
				}
			}
			took("before", nil)
			_, err := io.CopyN(io.Discard, r.Body, 1)
			took("within the body", err)
			_, err = io.Copy(io.Discard, r.Body)
			took("after the body", err)
			_, err = io.WriteString(w, "a")
			took("after a piece", errors.Join(err, http.NewResponseController(w).Flush()))
			_, err = io.WriteString(w, "b")
			took("after another", errors.Join(err, http.NewResponseController(w).Flush()))
		})})
		for range 2 { // the second request is on the same connection
			resp, err := c.Post(url, "text/plain", bytes.NewReader(make([]byte, 3<<10)))
			if err != nil {
				return err
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if string(body) != "ab" || err != nil {
				return fmt.Errorf("got %q, %v", body, err)
			}
		}
		if len(failures) > 0 {
			return <-failures
		}
		return nil
	})
}

func TestClientThatLeavesIsNoticed(t *testing.T) {
	both(t, func(t *testing.T, c *http.Client) {
		arrived, left := make(chan struct{}), make(chan error, 1)
		url, _ := serve(t, web.Server{Patience: patience, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			close(arrived)
			<-r.Context().Done()
			left <- context.Cause(r.Context())
		})})
		ctx, leave := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		go func() { <-arrived; leave() }()
		if resp, err := c.Do(req); err == nil {
			resp.Body.Close()
		}
		if err := received(t, "the end of the context", left); !errors.Is(err, context.Canceled) {
			t.Errorf("the context ended with %v", err)
		}
	})
}

// writeForEver writes until it fails, in the way of name.
func writeForEver(w http.ResponseWriter, size int) error {
	piece := bytes.Repeat([]byte("x"), size)
	for {
		if _, err := w.Write(piece); err != nil {
			return err
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return err
		}
	}
}

func TestAnswerThatNobodyReads(t *testing.T) {
	f := func(name string, size int) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inTime(t, brief, func(t *testing.T, c *http.Client, brief time.Duration) error { // the header has to come
				failure, gone := make(chan error, 1), make(chan struct{})
				url, _ := serve(t, web.Server{Patience: brief, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					failure <- writeForEver(w, size)
					<-r.Context().Done()
					close(gone)
				})})
				resp, err := c.Get(url)
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				if err := received(t, "the failure", failure); !errors.Is(err, web.ErrStalled) {
					return fmt.Errorf("the handler got %w", err)
				}
				received(t, "the end of the context", gone)
				if _, err := io.Copy(io.Discard, resp.Body); err == nil {
					return errors.New("a cut answer looks complete")
				}
				return nil
			})
		})
	}
	f("small pieces", 200)
	f("large pieces", 1<<20)
}

// The client takes the connection's bytes no more, as one that was stopped does: no frame can end the stream.
func TestHTTP2ConnectionThatNobodyReads(t *testing.T) {
	t.Parallel()
	failure := make(chan error, 1)
	url, _ := serve(t, web.Server{Patience: ample, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		failure <- writeForEver(w, 1<<10)
	})})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+
		"\x00\x00\x06\x04\x00\x00\x00\x00\x00"+"\x00\x04\x7f\xff\xff\xff"+ // SETTINGS: a window of 2 GiB for each stream
		"\x00\x00\x04\x08\x00\x00\x00\x00\x00"+"\x7f\xff\x00\x00"+ // WINDOW_UPDATE: and for the connection
		"\x00\x00\x06\x01\x05\x00\x00\x00\x01"+"\x82\x84\x86\x41\x01x") // HEADERS: GET, /, http, the host x
	if err != nil {
		t.Fatal(err)
	}
	if err := received(t, "the failure", failure); err == nil {
		t.Error("the handler got nothing")
	}
}

// A client that reads slowly, but does, gets all of an answer that takes many times the patience.
func TestAnswerThatIsReadSlowly(t *testing.T) {
	t.Parallel()
	inTime(t, ample, func(t *testing.T, c *http.Client, ample time.Duration) error {
		const size = 16 << 20
		end := make(chan error, 1)
		url, _ := serve(t, web.Server{Patience: ample, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write(make([]byte, size)) // one piece
			end <- err
		})})
		resp, err := c.Get(url)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		in, n := bufio.NewReader(resp.Body), int64(0)
		for err == nil {
			var read int64
			read, err = io.CopyN(io.Discard, in, 128<<10)
			n += read
			time.Sleep(ample / 100)
		}
		if n != size || err != io.EOF {
			return fmt.Errorf("read %d, %w", n, err)
		}
		return received(t, "the end of the handler", end)
	})
}

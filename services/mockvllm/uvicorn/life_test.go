package uvicorn_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn"
)

// pipes is a listener without a network, for time that is not real.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return nil }

// TestIdleConnections: closed after five seconds without a byte since an answer, and never before the first one.
func TestIdleConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &uvicorn.Server{Handler: http.HandlerFunc(echo)}
		ln := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		go func() { _ = s.Serve(ln) }()
		defer s.Close()
		f := func(first, second string, want time.Duration) {
			t.Helper()
			c, far := net.Pipe()
			defer c.Close()
			ln.conns <- far
			if first != "" {
				_, _ = io.WriteString(c, first)
			}
			if first == get("/") {
				_, _ = io.ReadFull(c, make([]byte, len(told("GET /  "))))
				time.Sleep(3 * time.Second)
			}
			if second != "" { // which a pipe would deliver
				_, _ = io.WriteString(c, second)
			}
			from := time.Now()
			_ = c.SetReadDeadline(from.Add(time.Hour))
			_, err := c.Read(make([]byte, 1))
			if took := time.Since(from); took != want || (want == time.Hour) == errors.Is(err, io.EOF) {
				t.Errorf("%q, %q: %v after %v", first, second, err, took)
			}
		}
		f("", "", time.Hour)
		f("GET /heal", "", time.Hour)
		f(get("/"), "", 2*time.Second)
		f(get("/"), "GET /heal", time.Hour)
		f(get("/"), "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na", time.Hour)
	})
}

// TestIdleAgain: the five seconds begin with each answer, however long that took.
func TestIdleAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &uvicorn.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			took, _ := time.ParseDuration(r.URL.Path[1:])
			time.Sleep(took)
			echo(w, r)
		})}
		ln := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		go func() { _ = s.Serve(ln) }()
		defer s.Close()
		c, far := net.Pipe()
		defer c.Close()
		ln.conns <- far
		for _, took := range []string{"0s", "1s", "8s", "0s", "30s", "4s"} {
			for _, idle := range []time.Duration{0, 2 * time.Second, 4 * time.Second, 4999 * time.Millisecond} {
				_, _ = io.WriteString(c, get("/"+took))
				if _, err := io.ReadFull(c, make([]byte, len(told("GET /"+took+"  ")))); err != nil {
					t.Fatalf("answer after %s: %v", took, err)
				}
				time.Sleep(idle)
			}
			_, _ = io.WriteString(c, get("/"+took))
			_, _ = io.ReadFull(c, make([]byte, len(told("GET /"+took+"  "))))
			time.Sleep(time.Second)
		}
		from := time.Now()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || time.Since(from) != 4*time.Second {
			t.Errorf("%v after %v", err, time.Since(from))
		}
	})
}

// The bound of an idle connection does not end the watch over the request that came within it.
func TestWatchOutlastsKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newWaiting()
		s := &uvicorn.Server{Handler: h}
		ln := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		go func() { _ = s.Serve(ln) }()
		defer s.Close()
		c, far := net.Pipe()
		ln.conns <- far
		_, _ = io.WriteString(c, get("/quick"))
		_, _ = io.ReadFull(c, make([]byte, len(told("GET /quick  "))))
		time.Sleep(time.Second)
		_, _ = io.WriteString(c, get("/plain"))
		<-h.begun
		time.Sleep(time.Minute)
		_ = c.Close()
		from := time.Now()
		if <-h.left; time.Since(from) != 0 {
			t.Errorf("noticed after %v", time.Since(from))
		}
	})
}

func TestShutdown(t *testing.T) {
	bothWays(t, func(t *testing.T, start func(http.HandlerFunc) *server) {
		begun, finish := make(chan struct{}), make(chan struct{})
		s := start(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				done := r.Context().Done()
				close(begun)
				select {
				case <-done:
				case <-finish:
				}
			}
			echo(w, r)
		})
		fresh, half, idle, busy := s.dial(), s.ask("GET /"), s.ask(get("/")), s.ask(get("/slow"))
		idle.expect(told("GET /  "))
		<-begun
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("while busy: %v", err)
		}
		fresh.closed("")
		half.closed("")
		idle.closed("")
		if _, err := net.Dial("tcp", s.addr); err == nil {
			t.Error("the listener is open")
		}
		close(finish)
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		busy.closed(ok + "content-length: 11\r\nconnection: close\r\n\r\nGET /slow  ")
	})
}

func TestClose(t *testing.T) {
	bothWays(t, func(t *testing.T, start func(http.HandlerFunc) *server) {
		h := newWaiting()
		s := start(h.ServeHTTP)
		c := s.ask(get("/plain"))
		<-h.begun
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		select {
		case <-h.left: // Close has waited for it
		default:
			t.Error("the handler runs")
		}
		c.closed("")
		if err := s.Serve(&pipes{closed: make(chan struct{})}); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve after Close: %v", err)
		}
	})
}

// Many clients of all kinds leave nothing behind; goleak looks.
func TestManyClients(t *testing.T) {
	bothWays(t, func(t *testing.T, start func(http.HandlerFunc) *server) {
		s := start(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/wait" {
				<-r.Context().Done()
				return
			}
			echo(w, r)
		})
		var clients sync.WaitGroup
		for i := range 200 {
			clients.Go(func() {
				switch c := s.dial(); i % 4 {
				case 0:
					for range 20 {
						c.send(post("/a", "abc"))
						c.expect(told("POST /a  abc"))
					}
				case 1:
					c.send(get("/wait"))
					c.reset()
				case 2:
					c.send(get("/1") + get("/2"))
					c.expect(told("GET /1  ") + told("GET /2  "))
				default:
					c.send("GET /wai")
					_ = c.conn.Close()
				}
			})
		}
		clients.Wait()
	})
}

package uvicorn_test

import (
	"io"
	"net/http"
	"testing"
	"time"
)

// waiting tells when a handler has begun, sends the beginning of a stream, and waits until its client has left.
type waiting struct {
	begun, left chan string
}

func newWaiting() waiting { return waiting{make(chan string, 9), make(chan string, 9)} }

func (h waiting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/quick" {
		echo(w, r)
		return
	}
	if r.URL.Path == "/stream" {
		_ = http.NewResponseController(w).Flush()
	}
	done := r.Context().Done()
	h.begun <- r.URL.Path
	<-done
	_, err := io.WriteString(w, "too late")
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	if err == nil {
		h.left <- "the answer was sent"
		return
	}
	h.left <- r.URL.Path
}

// TestClientsThatLeave: at once, in each way, while a plain answer and while a stream is made.
func TestClientsThatLeave(t *testing.T) {
	bothWays(t, func(t *testing.T, start func(http.HandlerFunc) *server) {
		h := newWaiting()
		s := start(h.ServeHTTP)
		f := func(request, path string, leave func(*client)) {
			t.Helper()
			c := s.ask(request)
			<-h.begun
			leave(c)
			if got := <-h.left; got != path {
				t.Errorf("%q: %s", request, got)
			}
		}
		for _, leave := range []func(*client){func(c *client) { _ = c.conn.Close() }, (*client).halfClose, (*client).reset} {
			f(get("/plain"), "/plain", leave)
			f(get("/stream"), "/stream", leave)
			f(get("/quick")+get("/plain"), "/plain", leave)
		}
	})
}

// A body that nobody reads does not hide that its client has left.
func TestLeavingWithAnUnreadBody(t *testing.T) {
	h := newWaiting()
	s := start(t, h.ServeHTTP)
	c := s.ask(post("/plain", "abc"))
	<-h.begun
	c.halfClose()
	<-h.left
	c.closed("")
}

// Who sends no more is answered if the handler has no reason to wait, as by uvicorn, but only once.
func TestHalfClosedClients(t *testing.T) {
	bothWays(t, func(t *testing.T, start func(http.HandlerFunc) *server) {
		h := newWaiting()
		s := start(h.ServeHTTP)
		c := s.ask(get("/quick"))
		c.halfClose()
		c.closed(told("GET /quick  "))
		c = s.ask(get("/plain"))
		c.halfClose()
		c.closed("")
		<-h.left
	})
}

// Bytes of a next request are no reason to give up on this one, whatever follows them.
func TestPipelinedBytesAreNoDisconnect(t *testing.T) {
	bothWays(t, func(t *testing.T, start func(http.HandlerFunc) *server) {
		begun, finish := make(chan struct{}), make(chan struct{})
		s := start(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				done := r.Context().Done()
				close(begun)
				select {
				case <-done:
					t.Error("given up")
				case <-finish:
				}
			}
			echo(w, r)
		})
		c := s.ask(get("/slow"))
		<-begun
		c.send(get("/next"))
		c.halfClose()
		time.AfterFunc(20*time.Millisecond, func() { close(finish) }) // gives a wrong server the time to notice
		c.expect(told("GET /slow  "))
	})
}

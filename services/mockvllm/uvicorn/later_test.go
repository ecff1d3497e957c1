package uvicorn_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn"
)

// parts answers in two parts, the second one Later, and tells what is done when. Two middlewares look on; what is between them and
// the handler knows nothing of Later.
func parts(tell func(string), second func(w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
	h := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "one")
		_ = http.NewResponseController(w).Flush()
		uvicorn.Later(w, func() {
			tell("later")
			second(w, r)
		})
		tell("returned")
	}
	for _, name := range []string{"inner", "outer"} {
		next := h
		h = func(w http.ResponseWriter, r *http.Request) {
			rec := &uvicorn.Whole{ResponseWriter: w, Ender: ender(func(panics bool) { tell(fmt.Sprint(name, " ", panics)) })}
			rec.Answer(func() { next(struct{ *uvicorn.Whole }{rec}, r) })
		}
	}
	return h
}

type ender func(panics bool)

func (e ender) Over(panics bool) { e(panics) }

const begun = ok + "transfer-encoding: chunked\r\n\r\n3\r\none\r\n"

func TestLater(t *testing.T) {
	bothWays(t, func(t *testing.T, start func(http.HandlerFunc) *server) {
		f := func(second func(http.ResponseWriter), answer string, events ...string) {
			t.Helper()
			told := make(chan string, 99)
			s := start(parts(func(what string) { told <- what }, func(w http.ResponseWriter, _ *http.Request) { second(w) }))
			c := s.ask(get("/a"))
			c.expect(begun + answer)
			if answer == "" {
				c.closed("")
			} else { // the connection serves on
				c.send(get("/b") + get("/c"))
				c.expect(begun + answer + begun + answer)
			}
			var got []string
			for range events {
				got = append(got, <-told)
			}
			if !slices.Equal(got, events) {
				t.Errorf("%q, want %q", got, events)
			}
		}
		f(func(w http.ResponseWriter) { _, _ = io.WriteString(w, "more") }, "4\r\nmore\r\n0\r\n\r\n", "returned", "later", "inner false", "outer false", "returned")
		f(func(http.ResponseWriter) {}, "0\r\n\r\n", "returned", "later", "inner false", "outer false")
		f(func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "", "returned", "later", "inner true", "outer true")
	})
}

// What is left for later is told that its client has left, and waited for when the server ends.
func TestLaterWaits(t *testing.T) {
	bothWays(t, func(t *testing.T, start func(http.HandlerFunc) *server) {
		waits, left := make(chan struct{}, 9), make(chan struct{}, 9)
		s := start(parts(func(string) {}, func(_ http.ResponseWriter, r *http.Request) {
			done := r.Context().Done()
			waits <- struct{}{}
			<-done
			left <- struct{}{}
		}))
		for _, leave := range []func(*client){func(c *client) { _ = c.conn.Close() }, (*client).halfClose, (*client).reset} {
			c := s.ask(get("/"))
			<-waits
			leave(c)
			<-left
		}
		c := s.ask(get("/"))
		<-waits
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Shutdown(ctx); err == nil {
			t.Error("Shutdown did not wait")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		select {
		case <-left:
		default:
			t.Error("Close did not wait")
		}
		c.closed(begun)
	})
}

// A writer of another server makes later at once.
func TestLaterElsewhere(t *testing.T) {
	var got []string
	w := httptest.NewRecorder()
	h := parts(func(what string) { got = append(got, what) }, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "two") })
	h(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if want := []string{"later", "inner false", "outer false", "returned"}; !slices.Equal(got, want) || w.Body.String() != "onetwo" {
		t.Errorf("%q, %q", got, w.Body)
	}
}

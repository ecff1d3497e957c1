package web_test

import (
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

// patience bounds every wait. It is reached only when something is broken.
const patience = time.Minute

// serve runs a server and returns its URL and a function that asks it to stop and hands out what Serve will return.
func serve(t testing.TB, s web.Server) (url string, stop func() <-chan error) {
	t.Helper()
	ln, err := web.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	over := make(chan struct{})
	go func() { defer close(over); ended <- s.Serve(ctx, ln) }()
	t.Cleanup(func() { http.DefaultClient.CloseIdleConnections(); cancel(); <-over })
	return "http://" + ln.Addr().String(), func() <-chan error { cancel(); return ended }
}

func get(t *testing.T, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func ended(t *testing.T, c <-chan error) error {
	t.Helper()
	select {
	case err := <-c:
		return err
	case <-time.After(patience):
		t.Fatal("Serve does not end")
		return nil
	}
}

func TestServeDrains(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	url, stop := serve(t, web.Server{Drain: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-finish
		if r.Context().Err() != nil {
			t.Error("the request was ended within its grace")
		}
		_, _ = io.WriteString(w, "done")
	})})
	body := make(chan string, 1)
	go func() {
		data, _ := io.ReadAll(get(t, url).Body)
		body <- string(data)
	}()
	<-arrived
	result := stop()
	refused(t, url)
	close(finish)
	if got := <-body; got != "done" {
		t.Errorf("the request in flight got %q", got)
	}
	if err := ended(t, result); err != nil {
		t.Errorf("Serve returned %v", err)
	}
}

// refused waits until nobody listens at url.
func refused(t *testing.T, url string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			return
		}
		conn.Close()
		select {
		case <-deadline:
			t.Fatal("the listener stays open")
		default:
		}
	}
}

func TestServeEndsStreamsAfterTheGrace(t *testing.T) {
	t.Parallel()
	inTime(t, 10*time.Millisecond, func(t *testing.T, c *http.Client, drain time.Duration) error { // handlers have seconds to notice
		cause := make(chan error, 1)
		url, stop := serve(t, web.Server{Drain: drain, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			cause <- context.Cause(r.Context())
			_, _ = io.WriteString(w, "goodbye")
		})})
		resp, err := c.Get(url)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		result := stop()
		data, err := io.ReadAll(resp.Body)
		if string(data) != "goodbye" || err != nil {
			return fmt.Errorf("the stream ended with %q, %w", data, err)
		}
		if err := <-cause; !errors.Is(err, web.ErrStopping) {
			return fmt.Errorf("cause = %w", err)
		}
		return ended(t, result)
	})
}

func TestServeGivesUpOnAHandlerThatStays(t *testing.T) {
	leave := make(chan struct{})
	url, stop := serve(t, web.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-leave
	})})
	resp := get(t, url)
	if err := ended(t, stop()); err == nil || !strings.Contains(err.Error(), "drain 127.0.0.1:") {
		t.Errorf("Serve returned %v", err)
	}
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("a cut answer looks complete")
	}
	close(leave)
}

func TestServeReportsABrokenListener(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := (&web.Server{Handler: http.NotFoundHandler()}).Serve(t.Context(), ln); err == nil || !strings.Contains(err.Error(), "serve 127.0.0.1:") {
		t.Errorf("Serve returned %v", err)
	}
}

// Browsers open connections in advance. One that carries nothing must not hold up the end of a server.
func TestServeDoesNotWaitForUnusedConnections(t *testing.T) {
	inSomeTry(t, func() error {
		url, stop := serve(t, web.Server{Handler: http.NotFoundHandler()})
		unused, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			return err
		}
		defer unused.Close()
		get(t, url).Body.Close() // the server has accepted the first connection before this one
		http.DefaultClient.CloseIdleConnections()
		return ended(t, stop())
	})
}

// inSomeTry is for what a server of this package has a fixed time for, in which a busy machine may stand still: one of some tries has
// to go well.
func inSomeTry(t *testing.T, try func() error) {
	t.Helper()
	var err error
	for range 5 {
		if err = try(); err == nil {
			return
		}
	}
	t.Error(err)
}

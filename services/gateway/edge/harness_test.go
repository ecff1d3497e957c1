package edge_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/edge"
)

// networks parses a list that is right.
func networks(t testing.TB, list ...string) edge.Networks {
	t.Helper()
	n, err := edge.ParseNetworks(list)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// serve runs a server behind wrap and returns its address.
func serve(t testing.TB, s web.Server, wrap func(net.Listener) net.Listener) string {
	t.Helper()
	ln, err := web.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Drain = time.Minute // its end is not what these tests are about
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		if err := s.Serve(ctx, wrap(ln)); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { cancel(); <-over })
	return ln.Addr().String()
}

func plain(ln net.Listener) net.Listener { return ln }

// exchange sends bytes and returns all that comes back.
func exchange(t testing.TB, addr, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil && len(answer) == 0 {
		return err.Error()
	}
	return string(answer)
}

// who answers with what a handler knows about the client.
func who(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, r.RemoteAddr+" "+r.Header.Get("X-Forwarded-Proto")+r.Header.Get("X-Forwarded-For")+
		r.Header.Get("Forwarded")+r.Header.Get("X-Real-Ip"))
}

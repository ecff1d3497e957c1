package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream/pool"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // http.Transport tells of bytes after an answer
	goleak.VerifyTestMain(m)
}

func TestRequestURL(t *testing.T) {
	f := func(base, path, query, want string) {
		t.Helper()
		b, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		in := httptest.NewRequest("POST", "/whatever?"+query, nil)
		if out := upstream.NewRequest(t.Context(), in, upstream.Target{Base: b, Path: path}, nil); out.URL.String() != want {
			t.Errorf("%v; want %s", out.URL, want)
		}
	}
	f("http://h:1", "/v1/x", "", "http://h:1/v1/x")
	f("http://h:1/", "/v1/x", "a=b", "http://h:1/v1/x?a=b")
	f("https://h/below", "/v1/x", "", "https://h/below/v1/x")
	f("http://h:1", "/v1/a%2Fb", "", "http://h:1/v1/a%252Fb")
}

func TestDropHopByHop(t *testing.T) {
	h := http.Header{"Connection": {"close, X-One", " x-two"}, "X-One": {"1"}, "X-Two": {"2"}, "X-Three": {"3"},
		"Keep-Alive": {"5"}, "Transfer-Encoding": {"chunked"}, "Upgrade": {"h2c"}}
	upstream.DropHopByHop(h)
	if len(h) != 1 || h.Get("X-Three") != "3" {
		t.Errorf("left: %v", h)
	}
}

func TestKindOf(t *testing.T) {
	f := func(name string, ctx context.Context, err error, want upstream.Kind) {
		t.Helper()
		if got := upstream.KindOf(ctx, err); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	dial := &pool.ConnectError{Host: "h:1", Err: &net.OpError{Op: "dial", Err: errors.New("refused")}}
	left, leave := context.WithCancel(t.Context())
	leave()
	late, tooLate := context.WithCancelCause(t.Context())
	tooLate(&upstream.TimeoutError{Waiting: "first byte", Limit: time.Second})
	f("dial", t.Context(), dial, upstream.Connect)
	f("no descriptor", t.Context(), &pool.ConnectError{Host: "h:1", Err: &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}}, upstream.Exhausted)
	f("read", t.Context(), &net.OpError{Op: "read", Err: errors.New("reset")}, upstream.Broken)
	f("left", left, context.Canceled, upstream.Canceled)
	f("client's body", t.Context(), fmt.Errorf("request: %w", &upstream.BodyError{Err: io.ErrUnexpectedEOF}), upstream.Canceled)
	f("late", late, context.Canceled, upstream.Timeout)
}

func TestPatience(t *testing.T) {
	f := func(name, want string, firstByte, total time.Duration, act func(p *upstream.Patience)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, p := new(upstream.Watches).WithPatience(t.Context(), firstByte, total)
				defer p.Stop()
				act(p)
				synctest.Wait()
				var timeout *upstream.TimeoutError
				got := ""
				if errors.As(context.Cause(ctx), &timeout) {
					got = timeout.Error()
				}
				if got != want {
					t.Errorf("ended by %q, want %q", got, want)
				}
			})
		})
	}
	wait := func(d time.Duration) { <-time.After(d) }
	const second = time.Second
	f("in time", "", 2*second, 0, func(*upstream.Patience) { wait(second) })
	f("first byte", "waited 1s for the first byte of the model server", second, 0, func(*upstream.Patience) { wait(2 * second) })
	f("next byte", "waited 3s for the next byte of the model server", second, 0, func(p *upstream.Patience) {
		p.Expect(3 * second)
		wait(2 * second)
		p.Expect(3 * second)
		wait(4 * second)
	})
	f("next byte sooner than the first", "waited 3s for the next byte of the model server", 10*second, 0, func(p *upstream.Patience) {
		p.Expect(3 * second)
		wait(4 * second)
	})
	const late = "waited 2s for the first byte of the model server"
	f("client sends", "", 2*second, 0, func(p *upstream.Patience) {
		for range 5 {
			wait(second)
			p.Sending()
		}
	})
	f("client has sent", late, 2*second, 0, func(p *upstream.Patience) { wait(second); p.Sending(); wait(3 * second) })
	f("client sends on after the answer began", "waited 1s for the next byte of the model server", 2*second, 0, func(p *upstream.Patience) {
		p.Expect(second)
		p.Sending()
		wait(3 * second / 2)
	})
	f("client sends while it is waited for", "", second, 0, func(p *upstream.Patience) { p.Pause(); p.Sending(); wait(time.Hour) })
	f("paused", "", second, 0, func(p *upstream.Patience) { p.Pause(); wait(time.Hour) })
	f("total", "waited 5s for the whole answer of the model server", 10*second, 5*second, func(p *upstream.Patience) { p.Pause(); wait(6 * second) })
	f("stopped", "", second, second, func(p *upstream.Patience) { p.Stop(); wait(2 * second) })
}

// TestWatches: one request after another is measured, each by its own time, and whoever is done has no say any more.
func TestWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var watches upstream.Watches
		done := func(ctx context.Context) bool { synctest.Wait(); return ctx.Err() != nil }
		_, first := watches.WithPatience(t.Context(), 10*time.Second, 0)
		first.Expect(2 * time.Second)
		first.Stop()
		first.Stop()
		time.Sleep(time.Second)
		ctx, second := watches.WithPatience(t.Context(), 3*time.Second, 0)
		other, third := watches.WithPatience(t.Context(), time.Hour, 0)
		defer third.Stop()
		first.Pause()
		first.Expect(time.Hour)
		first.Sending()
		time.Sleep(2 * time.Second) // the time of the first is over
		if done(ctx) {
			t.Error("a request ended by the time of the one before")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if _, late := errors.AsType[*upstream.TimeoutError](context.Cause(ctx)); !late || done(other) {
			t.Errorf("its own time was over, and it ended by %v; the other by %v", context.Cause(ctx), other.Err())
		}
		second.Stop()
	})
}

func TestForwardedOverTLS(t *testing.T) {
	got := make(chan *http.Request, 1)
	s := serve(t, func(p *peer) {
		req, _ := p.request()
		got <- req
		p.say(plain)
	})
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	in := httptest.NewRequest("POST", "https://front.example/", nil)
	in.RemoteAddr = "[2001:db8::1]:4711"
	in.Header["X-Left"], in.Header["X-Kept"] = []string{"1"}, []string{"2"}
	out := upstream.NewRequest(t.Context(), in, upstream.Target{Base: base, Path: "/", Scheme: "https"}, nil)
	out.Without("X-Left")
	resp, err := newTransport(t, upstream.Config{}).Forward(out)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	want := http.Header{"X-Forwarded-For": {"2001:db8::1"}, "X-Forwarded-Host": {"front.example"}, "X-Forwarded-Proto": {"https"},
		"X-Kept": {"2"}, "Content-Length": {"0"}}
	if diff := cmp.Diff(want, await(t, "the request", got).Header); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

package probe_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fluidmcp/fluidmcp/services/gateway/probe"
)

// servers answers by URL with a status and a body, or with nothing until the request is given up.
type servers struct {
	answers map[string]string // "200 body"

	mu    sync.Mutex
	asked map[string][]time.Time
}

func (s *servers) RoundTrip(r *http.Request) (*http.Response, error) {
	where := r.URL.String()
	s.mu.Lock()
	if s.asked == nil {
		s.asked = make(map[string][]time.Time)
	}
	s.asked[where] = append(s.asked[where], time.Now())
	answer, ok := s.answers[where]
	s.mu.Unlock()
	if !ok {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	resp := &http.Response{}
	if _, err := fmt.Sscan(answer, &resp.StatusCode); err != nil {
		return nil, err
	}
	resp.Status = http.StatusText(resp.StatusCode)
	_, body, _ := strings.Cut(answer, " ")
	resp.Body = io.NopCloser(strings.NewReader(body))
	return resp, nil
}

func (s *servers) answer(where, with string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[where] = with
}

func (s *servers) count(where string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked[where])
}

// backends are servers by id at http://id.
func backends(ids ...string) func() map[string]string {
	return func() map[string]string {
		urls := make(map[string]string)
		for _, id := range ids {
			urls[id] = "http://" + id
		}
		return urls
	}
}

// listing is a fleet that changes.
type listing struct {
	mu   sync.Mutex
	urls map[string]string
}

func (l *listing) set(urls map[string]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.urls = urls
}

func (l *listing) get() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.urls)
}

// tally counts calls by what they said.
type tally struct {
	mu    sync.Mutex
	calls map[string]int
}

func (c *tally) add(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.calls = make(map[string]int)
	}
	c.calls[fmt.Sprintf(format, args...)]++
}

func (c *tally) want(t *testing.T, want map[string]int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if diff := cmp.Diff(want, maps.Clone(c.calls)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// during runs something for a time on the clock of synctest.
func during(t *testing.T, d time.Duration, run func(ctx context.Context)) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	run(ctx)
}

func TestProber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up tally
		core, logs := observer.New(zapcore.InfoLevel)
		s := &servers{answers: map[string]string{"http://well/health": "200", "http://stranger/health": "404", "http://ill/health": "503"}}
		p := probe.Prober{Transport: s, Interval: 5 * time.Second, Backends: backends("well", "stranger", "ill"),
			SetUp: func(id string, ok bool, _ time.Time) bool { up.add("%s %v", id, ok); return true }, Log: zap.New(core)}
		during(t, 15*time.Second-1, p.Run)
		up.want(t, map[string]int{"well true": 3, "stranger true": 3, "ill false": 3})
		if n := logs.FilterMessage("backend changed").Len(); n != 1 {
			t.Errorf("%d changes were logged, want that of the ill one", n)
		}
	})
}

// failing is a transport that makes no connection.
type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// TestNoDescriptorLeft: what the gateway cannot ask is not down.
func TestNoDescriptorLeft(t *testing.T) {
	for err, want := range map[error]map[string]int{syscall.ECONNREFUSED: {"b false": 3}, syscall.EMFILE: nil} {
		synctest.Test(t, func(t *testing.T) {
			var up tally
			p := probe.Prober{Transport: failing{err}, Interval: 5 * time.Second, Backends: backends("b"),
				SetUp: func(id string, ok bool, _ time.Time) bool { up.add("%s %v", id, ok); return true }, Log: zap.NewNop()}
			during(t, 15*time.Second-1, p.Run)
			up.want(t, want)
		})
	}
}

// starved is a transport whose timers come late, because the program had no processor.
type starved struct{}

func (starved) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	time.Sleep(time.Second)
	return nil, r.Context().Err()
}

// TestStarved: who could not look in time does not know.
func TestStarved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up tally
		p := probe.Prober{Transport: starved{}, Interval: 5 * time.Second, Backends: backends("b"),
			SetUp: func(id string, ok bool, _ time.Time) bool { up.add("%s %v", id, ok); return true }, Log: zap.NewNop()}
		during(t, 30*time.Second, p.Run)
		up.want(t, nil)
	})
}

// TestSilentServer: it is down when its time is over, 15/16 of an interval, and a probe that was cut short says nothing.
func TestSilentServer(t *testing.T) {
	f := func(d time.Duration, want map[string]int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			var up tally
			p := probe.Prober{Transport: &servers{}, Interval: 16 * time.Second, Backends: backends("silent"),
				SetUp: func(id string, ok bool, asked time.Time) bool {
					up.add("%s %v, asked %v ago", id, ok, time.Since(asked))
					return true
				}, Log: zap.NewNop()}
			during(t, d, p.Run)
			up.want(t, want)
		})
	}
	f(15*time.Second-1, nil)                                              // even when it was the first to be asked
	f(30*time.Second+1, map[string]int{"silent false, asked 15s ago": 1}) // even when it was the last
}

// TestProberLogsChanges: to down and back, and a backend that comes again after it was gone is a new one.
func TestProberLogsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.InfoLevel)
		s := &servers{answers: map[string]string{"http://b/health": "500"}}
		here := &listing{urls: backends("b")()}
		p := probe.Prober{Transport: s, Interval: time.Second, Backends: here.get,
			SetUp: func(string, bool, time.Time) bool { return true }, Log: zap.New(core)}
		done := make(chan struct{})
		ctx, stop := context.WithCancel(t.Context())
		go func() { p.Run(ctx); close(done) }()
		step := func(want int) {
			t.Helper()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if n := logs.Len(); n != want {
				t.Errorf("%d log lines, want %d", n, want)
			}
		}
		step(1)
		s.answer("http://b/health", "200")
		step(2)
		s.answer("http://b/health", "500")
		step(3)
		here.set(nil)
		step(3)
		here.set(backends("b")())
		step(4)
		stop()
		<-done
	})
}

// TestLateProbe: one that does not count, because the backend is another one by now, is no change in the log either, and so nor is the next.
func TestLateProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.InfoLevel)
		s := &servers{answers: map[string]string{"http://b/health": "500"}}
		var probes atomic.Int64
		p := probe.Prober{Transport: s, Interval: time.Second, Backends: backends("b"), Log: zap.New(core),
			SetUp: func(string, bool, time.Time) bool {
				s.answer("http://b/health", "200")
				return probes.Add(1) > 1
			}}
		during(t, 3*time.Second, p.Run)
		if probes.Load() < 2 || logs.Len() != 0 {
			t.Errorf("%d probes, logged: %v", probes.Load(), logs.All())
		}
	})
}

// TestSpread: a large fleet is not asked all at once.
func TestSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 320
		s := &servers{answers: map[string]string{}}
		var ids []string
		for i := range n {
			ids = append(ids, fmt.Sprint("b", i))
			s.answer("http://"+ids[i]+"/health", "200")
		}
		p := probe.Prober{Transport: s, Interval: 16 * time.Second, Backends: backends(ids...), SetUp: func(string, bool, time.Time) bool { return true }, Log: zap.NewNop()}
		during(t, 32*time.Second-1, p.Run)
		moments := make(map[time.Time]int)
		for id, times := range s.asked {
			if len(times) != 2 || times[1].Sub(times[0]) != 16*time.Second {
				t.Errorf("%s was asked at %v", id, times)
			}
			for _, at := range times {
				moments[at]++
			}
		}
		for at, together := range moments {
			if together > n/4 {
				t.Errorf("%d of %d were asked together at %v", together, n, at)
			}
		}
	})
}

const vllm = `200 # HELP vllm:num_requests_running Number of requests in model execution batches.
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_waiting{engine="0",model_name="m"} 1.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
`

func TestPoller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told tally
		s := &servers{answers: map[string]string{"http://vllm/metrics": vllm, "http://stranger/metrics": "404 nothing",
			"http://other/metrics": "200 up 1\n", "http://endless/metrics": "200 " + strings.Repeat("a 1\n", 1<<20)}}
		p := probe.Poller{Transport: s, Interval: 2 * time.Second, Backends: backends("vllm", "stranger", "other", "endless", "silent"),
			SetLoad: func(id string, l probe.Load, valid time.Duration) { told.add("%s %v %v", id, l, valid) }}
		during(t, 20*time.Second-1, p.Run)
		told.want(t, map[string]int{"vllm {3 1 0.25} 6s": 10})
		asked := make(map[string]int)
		for where, times := range s.asked {
			asked[where] = len(times)
		}
		want := map[string]int{"http://vllm/metrics": 10, "http://silent/metrics": 10, "http://endless/metrics": 10,
			"http://stranger/metrics": 1, "http://other/metrics": 1}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
	})
}

// TestPollerTriesAgain: a server without metrics is asked again after a minute, and at once at another address.
func TestPollerTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told tally
		s := &servers{answers: map[string]string{"http://old/metrics": "404", "http://new/metrics": vllm}}
		here := &listing{urls: map[string]string{"b": "http://old"}}
		p := probe.Poller{Transport: s, Interval: time.Second, Backends: here.get,
			SetLoad: func(id string, l probe.Load, _ time.Duration) { told.add("%s %v", id, l) }}
		done := make(chan struct{})
		ctx, stop := context.WithCancel(t.Context())
		go func() { p.Run(ctx); close(done) }()
		step := func(d time.Duration, want int) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if n := s.count("http://old/metrics"); n != want {
				t.Errorf("asked %d times, want %d", n, want)
			}
		}
		step(30*time.Second+time.Millisecond, 1) // and so never at the moment of a poll
		step(60*time.Second, 2)
		here.set(map[string]string{"b": "http://new"})
		step(2*time.Second-1, 2)
		stop()
		<-done
		told.want(t, map[string]int{"b {3 1 0.25}": 2})
	})
}

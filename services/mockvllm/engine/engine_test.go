package engine

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pace gives the first token after 100 ms and then one each 10 ms.
type pace struct{}

func (pace) Due(start time.Time, i int) time.Time {
	return start.Add(100*time.Millisecond + time.Duration(i)*10*time.Millisecond)
}

// notes is an Observer that keeps what it is told.
type notes struct {
	mu       sync.Mutex
	cached   []int
	first    []time.Duration
	gaps     []time.Duration
	finished []string
	took     []Durations
}

func (n *notes) Token(_ *Sequence, first bool, gap time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if first {
		n.first = append(n.first, gap)
	} else {
		n.gaps = append(n.gaps, gap)
	}
}

func (n *notes) LookedUp(_ *Sequence, cached int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cached = append(n.cached, cached)
}

func (n *notes) Finished(_ *Sequence, reason string, took Durations) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.finished = append(n.finished, reason)
	n.took = append(n.took, took)
}

// run gives f a working engine on fake time.
func run(t *testing.T, maxRunning int, f func(e *Engine, n *notes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &notes{}
		e := New(maxRunning, true, pace{}, n)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { e.Run(ctx) })
		f(e, n)
		stop()
		running.Wait()
	})
}

func submit(t *testing.T, e *Engine, tokens ...int) []*Sequence {
	t.Helper()
	wake := make(chan struct{}, 1)
	var requests []Request
	for _, n := range tokens {
		requests = append(requests, Request{Prompt: 200, Tokens: n, Reason: "length", Wake: wake})
	}
	seqs, err := e.Submit(requests...)
	if err != nil {
		t.Fatal(err)
	}
	return seqs
}

// expect compares the tokens delivered so far; negative numbers are sequences that are over.
func expect(t *testing.T, seqs []*Sequence, want ...int) {
	t.Helper()
	synctest.Wait()
	var got []int
	for _, s := range seqs {
		n, over := s.Progress()
		if over {
			n = -n
		}
		got = append(got, n)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
}

func TestTokensComeOnTime(t *testing.T) {
	run(t, 2, func(e *Engine, n *notes) {
		seqs := submit(t, e, 3, 1)
		time.Sleep(99 * time.Millisecond)
		expect(t, seqs, 0, 0)
		time.Sleep(time.Millisecond)
		expect(t, seqs, 1, -1)
		time.Sleep(19 * time.Millisecond)
		expect(t, seqs, 2, -1)
		time.Sleep(time.Millisecond)
		expect(t, seqs, -3, -1)
		const ms = time.Millisecond
		if diff := cmp.Diff([]time.Duration{100 * ms, 100 * ms}, n.first); diff != "" {
			t.Errorf("first tokens:\n%s", diff)
		}
		if diff := cmp.Diff([]time.Duration{10 * ms, 10 * ms}, n.gaps); diff != "" {
			t.Errorf("gaps:\n%s", diff)
		}
		want := []Durations{{0, 100 * ms, 0, 100 * ms}, {0, 100 * ms, 20 * ms, 120 * ms}}
		if diff := cmp.Diff(want, n.took); diff != "" {
			t.Errorf("durations:\n%s", diff)
		}
	})
}

func TestOthersWaitForASlot(t *testing.T) {
	run(t, 1, func(e *Engine, n *notes) {
		seqs := submit(t, e, 1, 1, 1)
		synctest.Wait()
		if diff := cmp.Diff(Load{1, 2, 2.0 / 8191}, e.Load()); diff != "" {
			t.Errorf("load:\n%s", diff)
		}
		time.Sleep(100 * time.Millisecond)
		expect(t, seqs, -1, 0, 0)
		time.Sleep(100 * time.Millisecond)
		expect(t, seqs, -1, -1, 0)
		n.mu.Lock() // the third one goes on
		got := n.took[1].Queue
		n.mu.Unlock()
		if got != 100*time.Millisecond {
			t.Errorf("the second one waited %s", got)
		}
		time.Sleep(100 * time.Millisecond)
		expect(t, seqs, -1, -1, -1)
		if diff := cmp.Diff(Load{}, e.Load()); diff != "" {
			t.Errorf("load at the end:\n%s", diff)
		}
	})
}

func TestAbortFreesTheSlotAtOnce(t *testing.T) {
	run(t, 1, func(e *Engine, n *notes) {
		seqs := submit(t, e, 1000, 1000, 1)
		time.Sleep(105 * time.Millisecond)
		e.Abort(seqs[0], seqs[1]) // one runs, one waits
		expect(t, seqs, -1, 0, 0)
		time.Sleep(100 * time.Millisecond)
		expect(t, seqs, -1, 0, -1)
		e.Abort(seqs...) // over already
		if diff := cmp.Diff([]string{"length"}, n.finished); diff != "" {
			t.Errorf("finished: clients that left are not counted:\n%s", diff)
		}
	})
}

func TestStopEndsAllWithWhatTheyHave(t *testing.T) {
	run(t, 1, func(e *Engine, n *notes) {
		seqs := submit(t, e, 5, 5)
		time.Sleep(115 * time.Millisecond)
		e.Stop()
		expect(t, seqs, -2, 0)
		if _, over := seqs[1].Progress(); !over {
			t.Error("the waiting one is not over")
		}
		if diff := cmp.Diff([]string{"abort", "abort"}, n.finished); diff != "" {
			t.Errorf("finished:\n%s", diff)
		}
		if _, err := e.Submit(Request{Tokens: 1}); !errors.Is(err, ErrStopping) {
			t.Errorf("Submit after Stop: %v", err)
		}
	})
}

func TestRefuseWaitsForTheLast(t *testing.T) {
	run(t, 1, func(e *Engine, _ *notes) {
		seqs := submit(t, e, 1)
		idle := e.Refuse()
		if _, err := e.Submit(Request{Tokens: 1}); !errors.Is(err, ErrStopping) {
			t.Errorf("Submit after Refuse: %v", err)
		}
		<-idle
		expect(t, seqs, -1)
		<-e.Refuse() // nothing is left to wait for
	})
}

func TestAnEngineThatIsGoneRefuses(t *testing.T) {
	e := New(1, false, pace{}, &notes{})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	e.Run(ctx)
	if _, err := e.Submit(Request{Tokens: 1}); !errors.Is(err, ErrStopping) {
		t.Errorf("Submit: %v", err)
	}
	e.Abort()
	e.Stop()
	<-e.Refuse()
}

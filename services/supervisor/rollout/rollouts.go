package rollout

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
)

// ErrStopped is the cause of a rollout's end when somebody stops the model.
var ErrStopped = errors.New("the model was stopped")

// errGone is that of one that somebody has begun while its model was being taken out.
var errGone = errors.New("the model is gone")

// Rollouts runs one rollout a model at a time.
type Rollouts struct {
	changed func() <-chan struct{}
	report  func(model string, s Status)

	mu     sync.Mutex
	runs   map[string]*run // the last of each model
	last   map[string]Status
	closed bool
	going  sync.WaitGroup
}

// New returns one without rollouts. changed gives a channel that is closed with the next change of any server; report is
// called with what each rollout does.
func New(changed func() <-chan struct{}, report func(model string, s Status)) *Rollouts {
	return &Rollouts{changed: changed, report: report, runs: map[string]*run{}, last: map[string]Status{}}
}

// Start begins a rollout, which takes the place of the model's present one. It does not wait. It is runner.ErrEnded after Close.
func (rs *Rollouts) Start(model string, p Plan) error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.closed {
		return runner.ErrEnded
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	r := &run{plan: p, leaving: p.Leaving, changed: rs.changed, cancel: cancel, before: rs.runs[model], over: make(chan struct{}),
		status: Status{State: Rolling, Why: p.Why, Total: len(p.Servers), Begun: time.Now()}}
	r.report = func(s Status) { rs.note(model, r, s) }
	for _, s := range p.Servers {
		now := s.Status()
		r.servers = append(r.servers, seen{id: s.ID, starts: now.Starts, failures: now.Failures})
	}
	if r.before != nil {
		r.before.cancel(errSuperseded)
	}
	rs.runs[model], rs.last[model] = r, r.status
	rs.going.Go(func() {
		defer cancel(nil)
		r.do(ctx)
	})
	return nil
}

func (rs *Rollouts) note(model string, r *run, s Status) {
	rs.mu.Lock()
	if rs.runs[model] == r { // the one whose place it has taken ends after its begin
		rs.last[model] = s
	}
	rs.mu.Unlock()
	rs.report(model, s)
}

// Status tells of the model's present rollout, or else of its last one.
func (rs *Rollouts) Status(model string) (Status, bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	s, ok := rs.last[model]
	return s, ok
}

// Cancel ends the model's rollout because of why. The server that is being replaced goes on with that; once Cancel has returned no other
// one is told to, so that a stop that follows is the last word.
func (rs *Rollouts) Cancel(model string, why error) {
	rs.mu.Lock()
	r := rs.runs[model]
	rs.mu.Unlock()
	if r == nil {
		return
	}
	r.cancel(why)
	r.acting.Lock()
	defer r.acting.Unlock()
}

// Forget drops what is known of a model that is gone, with all of its servers.
func (rs *Rollouts) Forget(model string) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r := rs.runs[model]; r != nil {
		r.cancel(errGone)
	}
	delete(rs.runs, model)
	delete(rs.last, model)
}

// Close ends all rollouts and waits for them and their extra servers. No other begins.
func (rs *Rollouts) Close() {
	rs.mu.Lock()
	rs.closed = true
	for _, r := range rs.runs {
		r.cancel(runner.ErrEnded)
	}
	rs.mu.Unlock()
	rs.going.Wait()
}

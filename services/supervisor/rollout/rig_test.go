package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	loading  = 30 * time.Second
	draining = 10 * time.Second
)

// rig is a model whose units are real and whose servers are not. Its clock is that of the synctest bubble.
type rig struct {
	t       *testing.T
	rolls   *rollout.Rollouts
	servers []*server
	extra   *server // while there is one
	units   sync.WaitGroup

	mu        sync.Mutex
	changes   chan struct{}
	least     int      // ready servers at any time since begin
	said      []string // by the rollouts
	takes     []string // servers as they are replaced
	together  bool     // they may be taken at the same time
	robberies int      // so many extra servers find their port taken
}

// server is one unit and the process that it has.
type server struct {
	rig    *rig
	id     string
	unit   *runner.Runner
	status unit.Status
	broken int // that many starts fail
	begun  time.Time
	done   chan unit.Exit // of the process
	halt   context.CancelFunc
	over   chan struct{}
}

// inBubble runs a test of a model with n servers, which are ready, on fake time.
func inBubble(t *testing.T, n int, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, changes: make(chan struct{})}
		r.rolls = rollout.New(r.changed, func(_ string, s rollout.Status) {
			r.set(func() { r.said = append(r.said, fmt.Sprintf("%s %d/%d: %s", s.State, s.Done, s.Total, s.Message)) })
		})
		for i := range n {
			s := r.begin(fmt.Sprintf("m-%d", i), true, 0)
			r.set(func() { r.servers = append(r.servers, s) })
		}
		after(loading)
		r.set(func() { r.least = n })
		test(r)
		r.rolls.Close()
		for _, s := range r.servers {
			s.halt()
		}
		r.units.Wait()
	})
}

// after lets time pass and then everything settle.
func after(d time.Duration) {
	time.Sleep(d) // fake time: it passes at once
	synctest.Wait()
}

func (r *rig) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func (r *rig) changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changes
}

// begin runs a new server, of which so many starts fail.
func (r *rig) begin(id string, again bool, broken int) *server {
	s := &server{rig: r, id: id, broken: broken, over: make(chan struct{})}
	s.unit = runner.New(runner.Config{
		Policy: unit.Policy{Restart: again, StartTimeout: time.Hour, StallTimeout: time.Hour}, Driver: s, Probe: s.probe, Drain: s.drain, Changed: s.changed,
		Launching: func(unit.Reason) {}, Jitter: func() float64 { return 0 },
		ProbeStarting: time.Second, ProbeReady: time.Minute,
	})
	ctx, cancel := context.WithCancel(context.Background())
	s.halt = cancel
	r.units.Go(func() {
		defer close(s.over)
		s.unit.Run(ctx)
	})
	return s
}

func (s *server) changed(now unit.Status) {
	r := s.rig
	r.mu.Lock()
	defer r.mu.Unlock()
	s.status = now
	ready := 0
	for _, s := range append(slices.Clone(r.servers), r.extra) {
		if s != nil && s.status.Routable() {
			ready++
		}
	}
	r.least = min(r.least, ready)
	close(r.changes)
	r.changes = make(chan struct{})
}

// news tells the rollouts that something has changed.
func (r *rig) news() {
	r.set(func() {
		close(r.changes)
		r.changes = make(chan struct{})
	})
}

func (s *server) Start(context.Context) (runner.Server, error) {
	s.rig.mu.Lock()
	defer s.rig.mu.Unlock()
	s.begun = time.Now()
	s.done = make(chan unit.Exit, 1)
	if s.id == "m-surge" && s.rig.robberies > 0 {
		s.rig.robberies--
		return nil, &unit.Finding{Reason: unit.PortInUse, Message: "the port is in use"}
	}
	if s.broken > 0 {
		s.broken--
		s.done <- unit.Exit{Code: 1, At: time.Now()}
	}
	return process{s.done}, nil
}

func (s *server) probe(context.Context, bool) error {
	s.rig.mu.Lock()
	defer s.rig.mu.Unlock()
	if time.Since(s.begun) < loading {
		return errors.New("connection refused")
	}
	return nil
}

func (s *server) drain(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(draining):
	}
}

type process struct{ done chan unit.Exit }

func (process) PID() int { return 1 }

func (p process) Done() <-chan unit.Exit { return p.done }

func (p process) Stop() { p.done <- unit.Exit{Signal: "terminated", At: time.Now()} }

func (s *server) crash() {
	s.rig.set(func() { s.done <- unit.Exit{Code: 1, At: time.Now()} })
}

// breaks makes the next starts fail.
func (s *server) breaks(starts int) { s.rig.set(func() { s.broken = starts }) }

func (s *server) now() unit.Status {
	s.rig.mu.Lock()
	defer s.rig.mu.Unlock()
	return s.status
}

// replace holds what every rollout promises: a server that serves is taken only when all others do.
func (s *server) replace(ctx context.Context) error {
	s.rig.set(func() {
		s.rig.takes = append(s.rig.takes, s.id)
		for _, other := range s.rig.servers {
			if !s.rig.together && s.status.Routable() && !other.status.Routable() {
				s.rig.t.Errorf("%s was taken while %s was %s", s.id, other.id, other.status.Phase)
			}
		}
	})
	_, err := s.unit.Do(ctx, unit.Event{Kind: unit.Restart})
	return err
}

// plan replaces all servers.
func (r *rig) plan() rollout.Plan {
	p := rollout.Plan{Why: unit.Requested}
	for _, s := range r.servers {
		p.Servers = append(p.Servers, rollout.Server{ID: s.id, Status: s.now, Replace: s.replace})
	}
	return p
}

func (r *rig) start(p rollout.Plan) {
	r.t.Helper()
	if err := r.rolls.Start("m", p); err != nil {
		r.t.Error(err)
	}
}

// surge is room for one more server, of which so many starts fail.
func (r *rig) surge(broken int) func(context.Context) (*rollout.Extra, error) {
	return func(context.Context) (*rollout.Extra, error) {
		s := r.begin("m-surge", false, broken)
		r.set(func() { r.extra = s })
		return &rollout.Extra{ID: s.id, Status: s.now, Retire: func() {
			s.halt()
			<-s.over
			r.set(func() { r.extra = nil })
		}}, nil
	}
}

// spare is the extra server, or nil.
func (r *rig) spare() *server {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.extra
}

// expect checks the model's rollout, how often its servers were started, and how many served at the worst.
func (r *rig) expect(state rollout.State, least int, starts ...int) rollout.Status {
	r.t.Helper()
	got, _ := r.rolls.Status("m")
	var worst int
	var said []string
	r.set(func() { worst, said = r.least, slices.Clone(r.said) })
	if got.State != state {
		r.t.Errorf("the rollout is %s (%s), want %s; it said %q", got.State, got.Message, state, said)
	}
	var counts []int
	for _, s := range r.servers {
		counts = append(counts, s.now().Starts)
	}
	if !slices.Equal(counts, starts) {
		r.t.Errorf("starts %v, want %v; it said %q", counts, starts, said)
	}
	if worst != least {
		r.t.Errorf("%d servers served at the worst, want %d; it said %q", worst, least, said)
	}
	return got
}

func (s *server) phase(want fleet.Phase) {
	s.rig.t.Helper()
	if now := s.now(); now.Phase != want {
		s.rig.t.Errorf("%s is %s, want %s", s.id, now.Phase, want)
	}
}

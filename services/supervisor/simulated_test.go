package supervisor

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/servers"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// simulation is a supervisor whose servers are not real.
type simulation struct {
	t *testing.T
	*Supervisor
	random *rand.Rand // of the test's goroutine

	mu        sync.Mutex
	servers   map[*board.Instance]*simulated
	ended     map[*board.Instance]time.Time // when the last server did
	routed    map[string]bool               // by the gateway, by instance
	statuses  int
	snapshots int
}

// simulated is a server: it loads until ready and is then well, unless something befalls it.
type simulated struct {
	sim      *simulation
	of       *board.Instance
	ready    time.Time
	sick     bool
	stopping bool
	done     chan unit.Exit
}

func newSimulation(t *testing.T) *simulation {
	t.Helper()
	var file manifest.File
	for n := range *units {
		id := fmt.Sprintf("m%03d", n)
		file.Models = append(file.Models, manifest.Model{ID: id, Driver: manifest.Process, ServedName: id,
			Instances: []manifest.Instance{{ID: id + "-0", Argv: []string{"mockvllm"}, Dial: "http://127.0.0.1:8001", Weight: 1}}})
	}
	s, err := New(Default(), Deps{Models: &file})
	if err != nil {
		t.Fatal(err)
	}
	sim := &simulation{t: t, Supervisor: s, random: rand.New(rand.NewPCG(1, 2)), servers: map[*board.Instance]*simulated{},
		ended: map[*board.Instance]time.Time{}, routed: map[string]bool{}}
	for n, i := range sim.instances() {
		told := s.servers.Listen(i)
		jitter := rand.New(rand.NewPCG(3, uint64(n))) // of the unit's goroutine
		i.Runner = runner.New(runner.Config{
			Policy: unit.Policy{Restart: true, StartTimeout: s.cfg.StartTimeout, StallTimeout: s.cfg.StallTimeout},
			Driver: simulatedDriver{sim, i, jitter}, Probe: func(context.Context, bool) error { return sim.probe(i) },
			Drain:   func(ctx context.Context) { s.drains.Drain(ctx, i) },
			Changed: func(now unit.Status) { sim.changed(i, told, now) }, Launching: func(why unit.Reason) { s.metrics.Restarted(i.Model.ID, why) },
			Jitter: jitter.Float64, ProbeStarting: s.cfg.ProbeStarting, ProbeReady: s.cfg.ProbeInterval,
		})
	}
	return sim
}

func (sim *simulation) instances() []*board.Instance {
	var out []*board.Instance
	for _, m := range sim.board.List() {
		out = append(out, sim.board.Servers(m)...)
	}
	return out
}

func (sim *simulation) count(phase fleet.Phase) (n int) {
	for _, i := range sim.instances() {
		sim.board.Read(func() {
			if i.Status.Phase == phase {
				n++
			}
		})
	}
	return n
}

func (sim *simulation) counts() string {
	starts, failures := 0, 0
	var phases []string
	for _, phase := range board.Phases {
		if n := sim.count(phase); n > 0 {
			phases = append(phases, fmt.Sprintf("%d %s", n, phase))
		}
	}
	for _, i := range sim.instances() {
		sim.board.Read(func() { starts, failures = starts+i.Status.Starts, failures+i.Status.Failures })
	}
	return fmt.Sprintf("%s; %d starts, %d failures", strings.Join(phases, ", "), starts, failures)
}

// changed checks what a unit says against what is.
func (sim *simulation) changed(i *board.Instance, told *servers.Listener, now unit.Status) {
	told.Changed(now)
	sim.mu.Lock()
	defer sim.mu.Unlock()
	sim.statuses++
	alive := sim.servers[i] != nil || sim.ended[i].Equal(time.Now()) // of that the unit hears in this moment
	if now.Routable() && !alive {
		sim.t.Errorf("%s is routable without a server", i.ID)
	}
}

type simulatedDriver struct {
	sim    *simulation
	of     *board.Instance
	random *rand.Rand
}

// Start fails now and then, and loads for some time or for ever.
func (d simulatedDriver) Start(context.Context) (runner.Server, error) {
	d.sim.mu.Lock()
	defer d.sim.mu.Unlock()
	if d.sim.servers[d.of] != nil {
		d.sim.t.Errorf("two servers for %s", d.of.ID)
	}
	if d.random.IntN(50) == 0 {
		return nil, errors.New("no more processes")
	}
	load := time.Duration(d.random.Int64N(int64(time.Minute)))
	s := &simulated{sim: d.sim, of: d.of, ready: time.Now().Add(load), done: make(chan unit.Exit, 1)}
	d.sim.servers[d.of] = s
	for n := range 10 { // its log
		time.AfterFunc(time.Duration(n)*load/10, func() {
			d.of.Runner.Progressed(unit.Progress{Stage: "loading weights", Percent: float64(10 * n)})
		})
	}
	return s, nil
}

func (s *simulated) PID() int { return 1 }

func (s *simulated) Done() <-chan unit.Exit { return s.done }

// Stop takes up to the grace of the driver: a server may not listen to SIGTERM.
func (s *simulated) Stop() {
	s.sim.mu.Lock()
	defer s.sim.mu.Unlock()
	if s.sim.routed[s.of.ID] && s.ill() == nil && !s.stopping {
		s.sim.t.Errorf("%s was ended while the gateway sends requests there", s.of.ID)
	}
	if !s.stopping {
		s.stopping = true
		time.AfterFunc(15*time.Second, func() { s.end(unit.Exit{Code: 137, Signal: "killed"}) })
	}
}

// end ends the server if it is still there.
func (s *simulated) end(exit unit.Exit) {
	s.sim.mu.Lock()
	defer s.sim.mu.Unlock()
	if s.sim.servers[s.of] == s {
		delete(s.sim.servers, s.of)
		s.sim.ended[s.of] = time.Now()
		exit.At = time.Now()
		s.done <- exit
	}
}

func (sim *simulation) probe(i *board.Instance) error {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	if s := sim.servers[i]; s != nil {
		return s.ill()
	}
	return errRefused
}

var errRefused = errors.New("connection refused")

// ill is what a health check would say. The simulation is locked.
func (s *simulated) ill() error {
	switch {
	case time.Now().Before(s.ready):
		return errRefused
	case s.sick:
		return errors.New("health check answered 503")
	}
	return nil
}

// happen does something to one of the units.
func (sim *simulation) happen(ctx context.Context) {
	all := sim.instances()
	i := all[sim.random.IntN(len(all))]
	sim.mu.Lock()
	s := sim.servers[i]
	sim.mu.Unlock()
	wish := func(kind unit.Kind) {
		if _, err := i.Runner.Do(ctx, unit.Event{Kind: kind, By: "api"}); err != nil {
			sim.t.Error(err)
		}
	}
	switch what := sim.random.IntN(10); {
	case what < 3:
		wish(unit.Restart)
	case what < 5:
		wish(unit.Start)
	case what < 6:
		wish(unit.Stop)
	case s == nil:
	case what < 8:
		s.end(unit.Exit{}) // as vLLM does when its engine is killed
	case what < 9:
		sim.mu.Lock()
		s.sick = true
		sim.mu.Unlock()
	default:
		sim.mu.Lock()
		s.ready = s.ready.Add(time.Hour) // it hangs
		sim.mu.Unlock()
	}
}

// gateway applies snapshots as they come and reports that nothing is in flight.
func (sim *simulation) gateway(ctx context.Context) {
	beat := time.NewTicker(time.Second)
	defer beat.Stop()
	for {
		changed := sim.board.Changed()
		if snapshot, err := sim.board.Snapshot(false); err == nil {
			sim.apply(snapshot)
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-beat.C:
		}
	}
}

func (sim *simulation) apply(snapshot fleet.Snapshot) {
	sim.mu.Lock()
	sim.snapshots++
	for _, m := range snapshot.Models {
		for _, b := range m.Backends {
			sim.routed[b.ID] = b.Routable
		}
	}
	sim.mu.Unlock()
	sim.gateways.Beat("g", fleet.Heartbeat{Epoch: snapshot.Epoch, Revision: snapshot.Revision})
}

package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/external"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
	"github.com/fluidmcp/fluidmcp/services/supervisor/logs"
	"github.com/fluidmcp/fluidmcp/services/supervisor/probe"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// probeRemote is the least time between two probes of a server that somebody else runs and that does not answer.
const probeRemote = time.Second

// model is one entry of the file while it runs. ID and Driver never change; all else does, with the file, and is read with the
// board locked.
type model struct {
	spec.Model
	instances []*instance // what runs of it; the board's
}

// instance is one model server with all that serves it. What is said of the fields of a model holds for its own, too.
type instance struct {
	spec.Instance
	model  *model
	unit   *unit.Unit
	output *logs.Stream
	status unit.Status        // the board's
	record record             // the unit's goroutine's
	serves func() error       // whether it is this server that listens where it should; nil: nobody can tell
	shown  uint64             // revision of the snapshot that first had its phase; the board's
	end    context.CancelFunc // halts the unit: its server is drained and ended
	ended  chan struct{}      // closed when the unit's Run is over
}

// plan makes units of the models in the file.
func (s *Supervisor) plan(file *spec.File, commands map[string][]string) ([]*model, error) {
	s.client = probe.NewClient()
	var models []*model
	var faults []error
	for _, m := range file.Models {
		if m.Driver == spec.Kubernetes {
			faults = append(faults, fmt.Errorf("model %q: driver %s is not available yet; "+
				"with endpoints alone its server is watched and used, but not started or stopped", m.ID, m.Driver))
			continue
		}
		entry := &model{Model: m}
		for _, i := range m.Instances {
			entry.instances = append(entry.instances, s.instance(entry, i, commands))
		}
		models = append(models, entry)
	}
	return models, errors.Join(faults...)
}

func (s *Supervisor) instance(m *model, from spec.Instance, commands map[string][]string) *instance {
	i := &instance{Instance: from, model: m, output: s.logs.Stream(from.ID), end: func() {}, ended: make(chan struct{})}
	cfg := unit.Config{
		Policy: unit.Policy{
			Restart: m.Restart != spec.Never, Remote: m.Driver == spec.External, Outlives: m.Driver == spec.Docker,
			StartTimeout: cmp.Or(m.Timeouts.Start, s.cfg.StartTimeout), StallTimeout: cmp.Or(m.Timeouts.Stall, s.cfg.StallTimeout),
		},
		Before:        s.before(i),
		Driver:        external.Driver{},
		Probe:         func(ctx context.Context, ready bool) error { return s.probe(ctx, i, ready) },
		Drain:         func(ctx context.Context) { s.drain(ctx, i) },
		Explain:       i.explain,
		Changed:       func(now unit.Status) { s.changed(i, now) },
		Launching:     func(why unit.Reason) { s.relaunched(i, why) },
		Jitter:        rand.Float64,
		ProbeStarting: s.cfg.ProbeStarting,
		ProbeReady:    s.cfg.ProbeInterval,
	}
	switch m.Driver {
	case spec.Process:
		driver := s.process(i, commands)
		cfg.Driver, cfg.Admit = driver, func(ctx context.Context, waiting waits) (func(), error) { return s.memory(ctx, i, waiting) }
		if i.Listens {
			i.serves = driver.Serving
		}
	case spec.Docker:
		driver := s.container(i)
		cfg.Driver, cfg.Admit = driver, func(ctx context.Context, waiting waits) (func(), error) { return created(ctx, driver, waiting) }
	default:
		cfg.ProbeStarting = max(probeRemote, s.cfg.ProbeStarting)
	}
	i.unit = unit.NewUnit(cfg)
	i.watchOutput()
	return i
}

// process is the driver of an instance that is a child process.
func (s *Supervisor) process(i *instance, commands map[string][]string) *process.Driver {
	return &process.Driver{
		Argv: resolve(i.Argv, commands), Dir: i.Dir, Env: i.Env.List(), URL: i.Dial, Output: i.output,
		Guard: s.guard, Ledger: s.ledger, Name: i.ID,
	}
}

// resolve replaces the program of a command line by what stands for it.
func resolve(argv []string, commands map[string][]string) []string {
	if program, ok := commands[argv[0]]; ok {
		return append(program[:len(program):len(program)], argv[1:]...)
	}
	return argv
}

// target is whom to ask how an instance is, and its address for people.
func (s *Supervisor) target(i *instance) (t probe.Target, url string) {
	s.board.read(func() {
		t = probe.Target{URL: i.Dial, Name: i.model.ServedName, Key: i.model.APIKey.Reveal(), Client: s.client}
		url = i.URL
	})
	return t, url
}

func (s *Supervisor) probe(ctx context.Context, i *instance, ready bool) error {
	target, _ := s.target(i)
	if ready {
		return target.Alive(ctx).Err
	}
	if err := target.Ready(ctx).Err; err != nil || i.serves == nil {
		return err
	}
	return i.serves()
}

// waits tells a unit what its start waits for.
type waits = func(unit.Reason, string)

// memory admits the start of an instance once the GPUs that it takes have room for it.
func (s *Supervisor) memory(ctx context.Context, i *instance, waiting waits) (release func(), err error) {
	var takes *spec.GPU
	s.board.read(func() { takes = i.GPU })
	if takes == nil {
		return func() {}, nil
	}
	return s.gpus.Admit(ctx, takes.Share, takes.Taken(), func(what string) { waiting(unit.WaitingForMemory, what) })
}

// drain waits until no gateway has a request on the instance, or as long as its model allows. The board says already that it
// is not routable.
func (s *Supervisor) drain(ctx context.Context, i *instance) {
	var patience time.Duration
	var adopted bool
	s.board.read(func() {
		patience = cmp.Or(i.model.Timeouts.Drain, s.cfg.DrainTimeout)
		adopted = i.status.Launched.IsZero() && !i.status.Policy.Remote
	})
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if adopted { // it may carry what was sent before there was this supervisor
		s.gateways.introduced(ctx)
	}
	s.gateways.drained(ctx, s.board.epoch, s.board.shown(i), i.ID)
}

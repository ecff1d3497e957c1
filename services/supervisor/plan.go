package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/external"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
	"github.com/fluidmcp/fluidmcp/services/supervisor/logs"
	"github.com/fluidmcp/fluidmcp/services/supervisor/probe"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// probeRemote is the least time between two probes of a server that somebody else runs and that does not answer.
const probeRemote = time.Second

// model is one entry of the file while it runs. ID and Driver are its own for life; what the file says of it changes with the
// file, and is read with the board locked.
type model struct {
	ID     string
	Driver spec.Driver
	spec.Model

	instances  []*instance // what runs of it
	leaving    bool        // it is no longer wanted, and goes when its last instance has gone
	overridden bool        // it is not as the file says, because somebody said otherwise over HTTP
}

// instance is one model server with all that serves it. What is said of the fields of a model holds for its own, too.
type instance struct {
	ID string
	spec.Instance
	next    *spec.Instance // what the file says by now and its next start will run; nil when that is what runs
	leaving bool           // it is being drained and ended, and goes then
	model   *model
	unit    *unit.Unit
	driver  unit.Driver // of what runs, or runs next
	output  *logs.Stream
	status  unit.Status
	silent  bool               // the unit has not said anything yet, and snapshots wait for it
	record  record             // the unit's goroutine's
	shown   uint64             // revision of the snapshot that first had its phase
	end     context.CancelFunc // halts the unit: its server is drained and ended
	ended   chan struct{}      // closed when the unit's Run is over
}

// runnable tells whether there is a driver for every model.
func runnable(file *spec.File) error {
	var faults []error
	for _, m := range file.Models {
		if m.Driver == spec.Kubernetes {
			faults = append(faults, fmt.Errorf("model %q: driver %s is not available yet; "+
				"with endpoints alone its server is watched and used, but not started or stopped", m.ID, m.Driver))
		}
	}
	return errors.Join(faults...)
}

// model makes units of an entry of the file.
func (s *Supervisor) model(from spec.Model) *model {
	m := &model{ID: from.ID, Driver: from.Driver, Model: from}
	for _, i := range from.Instances {
		m.instances = append(m.instances, s.instance(m, i, s.before(m, i)))
	}
	return m
}

// policy is what a model wants of its units. An extra one starts at once whoever asks, and is tried once: its
// rollout says the rest.
func (s *Supervisor) policy(m *spec.Model, extra bool) unit.Policy {
	return unit.Policy{
		Restart: m.Restart != spec.Never && !extra, Remote: m.Driver == spec.External, Outlives: m.Driver == spec.Docker,
		OnDemand: m.Demand.Start && !extra, Sleep: m.Demand.Sleep && !extra,
		Devices:      slices.ContainsFunc(m.Instances, func(i spec.Instance) bool { return i.GPU != nil }),
		StartTimeout: cmp.Or(m.Timeouts.Start, s.cfg.StartTimeout), StallTimeout: cmp.Or(m.Timeouts.Stall, s.cfg.StallTimeout),
	}
}

func (s *Supervisor) instance(m *model, from spec.Instance, before unit.Before) *instance {
	i := &instance{ID: from.ID, Instance: from, model: m, output: s.logs.Stream(from.ID), end: func() {}, ended: make(chan struct{})}
	i.driver = s.driver(i)
	cfg := unit.Config{
		Policy:        s.policy(&m.Model, from.Extra),
		Before:        before,
		Driver:        driver{s, i},
		Sleep:         func(ctx context.Context) error { target, _ := s.target(i); return target.Sleep(ctx) },
		Wake:          func(ctx context.Context) error { target, _ := s.target(i); return target.Wake(ctx) },
		Probe:         func(ctx context.Context, ready bool) error { return s.probe(ctx, i, ready) },
		Drain:         func(ctx context.Context) { s.drain(ctx, i) },
		Explain:       i.explain,
		Free:          func(ctx context.Context) string { return s.freed(ctx, i) },
		Changed:       func(now unit.Status) { s.changed(i, now) },
		Launching:     func(why unit.Reason) { s.relaunched(i, why) },
		Jitter:        rand.Float64,
		ProbeStarting: s.cfg.ProbeStarting,
		ProbeReady:    s.cfg.ProbeInterval,
	}
	if m.Driver != spec.External {
		cfg.Admit = s.admit(i)
	} else {
		cfg.ProbeStarting = max(probeRemote, s.cfg.ProbeStarting)
	}
	i.unit = unit.NewUnit(cfg)
	i.watchOutput()
	return i
}

// driver makes what starts the instance as it is.
func (s *Supervisor) driver(i *instance) unit.Driver {
	switch i.model.Driver {
	case spec.External:
		return external.Driver{}
	case spec.Docker:
		return s.container(i)
	}
	var from spec.Instance
	s.board.read(func() { from = i.Instance })
	return &process.Driver{
		Argv: resolve(from.Argv, s.commands), Dir: from.Dir, Env: from.Env.List(), URL: from.Dial, Output: i.output,
		Guard: s.guard, Ledger: s.ledger, Name: i.ID,
	}
}

// driver starts an instance as the file says by then. Its methods are called by the unit's goroutine alone.
type driver struct {
	s *Supervisor
	i *instance
}

// Start implements unit.Driver.
func (d driver) Start() (unit.Server, error) {
	if d.s.board.renew(d.i) {
		next := d.s.driver(d.i)
		d.s.board.read(func() { d.i.driver = next })
	}
	return d.i.driver.Start()
}

// Adopt implements unit.Adopter.
func (d driver) Adopt() (unit.Server, error) {
	if a, ok := d.i.driver.(unit.Adopter); ok {
		return a.Adopt()
	}
	return nil, nil
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
	if err := target.Ready(ctx).Err; err != nil {
		return err
	}
	return s.serves(i)
}

// serves tells what else listens where the instance should; nil also where nobody can tell.
func (s *Supervisor) serves(i *instance) error {
	var own *process.Driver
	s.board.read(func() {
		if p, ok := i.driver.(*process.Driver); ok && i.Listens {
			own = p
		}
	})
	if own == nil {
		return nil
	}
	return own.Serving()
}

// waits tells a unit what its start waits for.
type waits = func(unit.Reason, string)

// memory admits the start of an instance once the GPUs that it takes have room for it.
func (s *Supervisor) memory(ctx context.Context, i *instance, waiting waits) (release func(), err error) {
	var takes *spec.GPU
	s.board.read(func() { takes = i.coming().GPU })
	if takes == nil {
		return func() {}, nil
	}
	return s.gpus.Admit(ctx, takes.Share, takes.Taken(), func(what string) { waiting(unit.WaitingForMemory, what) })
}

// freed waits until the GPUs of an instance whose server has ended have its memory back, and says what they lack.
func (s *Supervisor) freed(ctx context.Context, i *instance) string {
	var took *spec.GPU
	s.board.read(func() { took = i.GPU })
	if took == nil {
		return ""
	}
	lack := s.gpus.Freed(ctx, took.Share, took.Taken())
	if lack != "" && ctx.Err() == nil {
		s.log.Warn("a model server has ended, and its memory is not free", zap.String("instance", i.ID), zap.String("detail", lack))
		return "its server has ended, but " + lack + "; something else has the rest"
	}
	return ""
}

// drain waits until no gateway has a request on the instance, or as long as its model allows from when somebody asked
// for its end. The board says already that it is not routable.
func (s *Supervisor) drain(ctx context.Context, i *instance) {
	var patience time.Duration
	var adopted bool
	s.board.read(func() {
		patience = s.drainTimeout(i.model)
		adopted = i.status.Launched.IsZero() && !i.status.Policy.Remote
	})
	if end := s.drainsEnd.Load(); end != nil {
		patience = min(patience, time.Until(*end))
	}
	ctx, cancel := s.limited(ctx, i, patience)
	defer cancel()
	if adopted { // it may carry what was sent before there was this supervisor
		s.gateways.Introduced(ctx)
	}
	s.gateways.Drained(ctx, s.board.epoch, s.board.shown(i), i.ID)
}

// drainTimeout is that of a model. The board is locked.
func (s *Supervisor) drainTimeout(m *model) time.Duration {
	return cmp.Or(m.Timeouts.Drain, s.cfg.DrainTimeout)
}

// hurry bounds the drains of the supervisor's end, which come one after the other where models depend on each other: all together
// take no longer than the longest alone.
func (s *Supervisor) hurry() {
	var longest time.Duration
	s.board.read(func() {
		for _, m := range s.board.models {
			longest = max(longest, s.drainTimeout(m))
		}
	})
	end := time.Now().Add(longest)
	s.drainsEnd.Store(&end)
}

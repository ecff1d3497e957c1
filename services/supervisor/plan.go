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

	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/external"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
	"github.com/fluidmcp/fluidmcp/services/supervisor/probe"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// probeRemote is the least time between two probes of a server that somebody else runs and that does not answer.
const probeRemote = time.Second

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
func (s *Supervisor) model(from spec.Model) *board.Model {
	m := &board.Model{ID: from.ID, Driver: from.Driver, Model: from}
	for _, i := range from.Instances {
		m.Servers = append(m.Servers, s.Make(m, i, s.before(m, i)))
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

// Make is one server of a model, which runs nothing yet and is on no board.
func (s *Supervisor) Make(m *board.Model, from spec.Instance, before unit.Before) *board.Instance {
	i := board.NewInstance(m, from)
	i.Output = s.logs.Stream(from.ID)
	var last record
	i.Driver = s.driver(i)
	cfg := unit.Config{
		Policy:        s.policy(&m.Model, from.Extra),
		Before:        before,
		Driver:        driver{s, i},
		Sleep:         func(ctx context.Context) error { target, _ := s.target(i); return target.Sleep(ctx) },
		Wake:          func(ctx context.Context) error { target, _ := s.target(i); return target.Wake(ctx) },
		Probe:         func(ctx context.Context, ready bool) error { return s.probe(ctx, i, ready) },
		Drain:         func(ctx context.Context) { s.drain(ctx, i) },
		Explain:       func(exit unit.Exit) unit.Finding { return explain(i, exit) },
		Free:          func(ctx context.Context) string { return s.freed(ctx, i) },
		Changed:       func(now unit.Status) { s.changed(i, &last, now) },
		Launching:     func(why unit.Reason) { s.relaunched(i, &last, why) },
		Jitter:        rand.Float64,
		ProbeStarting: s.cfg.ProbeStarting,
		ProbeReady:    s.cfg.ProbeInterval,
	}
	if m.Driver != spec.External {
		cfg.Admit = s.admit(i)
	} else {
		cfg.ProbeStarting = max(probeRemote, s.cfg.ProbeStarting)
	}
	i.Unit = unit.NewUnit(cfg)
	watchOutput(i)
	return i
}

// driver makes what starts the instance as it is.
func (s *Supervisor) driver(i *board.Instance) unit.Driver {
	switch i.Model.Driver {
	case spec.External:
		return external.Driver{}
	case spec.Docker:
		return s.container(i)
	}
	var from spec.Instance
	s.board.Read(func() { from = i.Instance })
	return &process.Driver{
		Argv: resolve(from.Argv, s.commands), Dir: from.Dir, Env: from.Env.List(), URL: from.Dial, Output: i.Output,
		Guard: s.guard, Ledger: s.ledger, Name: i.ID,
	}
}

// driver starts an instance as the file says by then. Its methods are called by the unit's goroutine alone.
type driver struct {
	s *Supervisor
	i *board.Instance
}

// Start implements unit.Driver.
func (d driver) Start() (unit.Server, error) {
	if d.s.board.Renew(d.i) {
		next := d.s.driver(d.i)
		d.s.board.Read(func() { d.i.Driver = next })
	}
	return d.i.Driver.Start()
}

// Adopt implements unit.Adopter.
func (d driver) Adopt() (unit.Server, error) {
	if a, ok := d.i.Driver.(unit.Adopter); ok {
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
func (s *Supervisor) target(i *board.Instance) (t probe.Target, url string) {
	s.board.Read(func() {
		t = probe.Target{URL: i.Dial, Name: i.Model.ServedName, Key: i.Model.APIKey.Reveal(), Client: s.client}
		url = i.URL
	})
	return t, url
}

func (s *Supervisor) probe(ctx context.Context, i *board.Instance, ready bool) error {
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
func (s *Supervisor) serves(i *board.Instance) error {
	var own *process.Driver
	s.board.Read(func() {
		if p, ok := i.Driver.(*process.Driver); ok && i.Listens {
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
func (s *Supervisor) memory(ctx context.Context, i *board.Instance, waiting waits) (release func(), err error) {
	var takes *spec.GPU
	s.board.Read(func() { takes = i.Coming().GPU })
	if takes == nil {
		return func() {}, nil
	}
	return s.gpus.Admit(ctx, takes.Share, takes.Taken(), func(what string) { waiting(unit.WaitingForMemory, what) })
}

// freed waits until the GPUs of an instance whose server has ended have its memory back, and says what they lack.
func (s *Supervisor) freed(ctx context.Context, i *board.Instance) string {
	var took *spec.GPU
	s.board.Read(func() { took = i.GPU })
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
func (s *Supervisor) drain(ctx context.Context, i *board.Instance) {
	var patience time.Duration
	var adopted bool
	s.board.Read(func() {
		patience = s.drainTimeout(i.Model)
		adopted = i.Status.Launched.IsZero() && !i.Status.Policy.Remote
	})
	if end := s.drainsEnd.Load(); end != nil {
		patience = min(patience, time.Until(*end))
	}
	ctx, cancel := s.limited(ctx, i, patience)
	defer cancel()
	if adopted { // it may carry what was sent before there was this supervisor
		s.gateways.Introduced(ctx)
	}
	s.gateways.Drained(ctx, s.board.Epoch, s.board.Shown(i), i.ID)
}

// drainTimeout is that of a model. The board is locked.
func (s *Supervisor) drainTimeout(m *board.Model) time.Duration {
	return cmp.Or(m.Timeouts.Drain, s.cfg.DrainTimeout)
}

// hurry bounds the drains of the supervisor's end, which come one after the other where models depend on each other: all together
// take no longer than the longest alone.
func (s *Supervisor) hurry() {
	var longest time.Duration
	s.board.Each(func(m *board.Model) { longest = max(longest, s.drainTimeout(m)) })
	end := time.Now().Add(longest)
	s.drainsEnd.Store(&end)
}

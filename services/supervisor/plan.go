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

// model is one entry of the file while it runs.
type model struct {
	spec.Model
	instances []*instance
}

// instance is one model server with all that serves it.
type instance struct {
	spec.Instance
	model  *model
	unit   *unit.Unit
	target probe.Target
	output *logs.Ring
	status unit.Status // the board's
}

// plan makes units of the models in the file.
func (s *Supervisor) plan(file *spec.File, commands map[string][]string) ([]*model, error) {
	s.client = probe.NewClient()
	var models []*model
	var faults []error
	for _, m := range file.Models {
		if m.Driver != spec.Process && m.Driver != spec.External {
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
	i := &instance{Instance: from, model: m, output: &logs.Ring{}}
	i.target = probe.Target{URL: from.Dial, Name: m.ServedName, Key: m.APIKey.Reveal(), Client: s.client}
	cfg := unit.Config{
		Policy: unit.Policy{
			Restart: m.Restart != spec.Never, Remote: m.Driver == spec.External,
			StartTimeout: cmp.Or(m.Timeouts.Start, s.cfg.StartTimeout), StallTimeout: cmp.Or(m.Timeouts.Stall, s.cfg.StallTimeout),
		},
		Driver:        external.Driver{},
		Probe:         i.probe,
		Drain:         func(ctx context.Context) { s.drain(ctx, i) },
		Changed:       func(now unit.Status) { s.changed(i, now) },
		Launching:     func(why unit.Reason) { s.metrics.restarted(m.ID, why) },
		Jitter:        rand.Float64,
		ProbeStarting: s.cfg.ProbeStarting,
		ProbeReady:    s.cfg.ProbeInterval,
	}
	if m.Driver == spec.Process {
		cfg.Driver = &process.Driver{Argv: resolve(from.Argv, commands), Dir: from.Dir, Env: from.Env.List(), Output: i.output, Guard: s.guard}
	} else {
		cfg.ProbeStarting = max(probeRemote, s.cfg.ProbeStarting)
	}
	i.unit = unit.NewUnit(cfg)
	return i
}

// resolve replaces the program of a command line by what stands for it.
func resolve(argv []string, commands map[string][]string) []string {
	if program, ok := commands[argv[0]]; ok {
		return append(program[:len(program):len(program)], argv[1:]...)
	}
	return argv
}

func (i *instance) probe(ctx context.Context, ready bool) error {
	if ready {
		return i.target.Alive(ctx).Err
	}
	return i.target.Ready(ctx).Err
}

// drain waits until no gateway has a request on the instance, or as long as its model allows. The board says already that it
// is not routable.
func (s *Supervisor) drain(ctx context.Context, i *instance) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(i.model.Timeouts.Drain, s.cfg.DrainTimeout))
	defer cancel()
	s.gateways.drained(ctx, s.board.epoch, s.board.at(), i.ID)
}

package servers

import (
	"context"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
	"github.com/fluidmcp/fluidmcp/services/supervisor/probe"
)

// probeRemote is the least time between two probes of a server that somebody else runs and that does not answer.
const probeRemote = time.Second

// Target is whom to ask how an instance is, and its address for people.
func (s *Servers) Target(i *board.Instance) (t probe.Target, url string) {
	s.Board.Read(func() {
		t = probe.Target{URL: i.Dial, Name: i.Model.ServedName, Key: i.Model.APIKey.Reveal(), Client: s.Client}
		url = i.URL
	})
	return t, url
}

func (s *Servers) probe(ctx context.Context, i *board.Instance, ready bool) error {
	target, _ := s.Target(i)
	if ready {
		return target.Alive(ctx).Err
	}
	if err := target.Ready(ctx).Err; err != nil {
		return err
	}
	return s.serves(i)
}

// serves tells what else listens where the instance should; nil also where nobody can tell.
func (s *Servers) serves(i *board.Instance) error {
	var own *process.Driver
	s.Board.Read(func() {
		if p, ok := i.Driver.(*process.Driver); ok && i.Listens {
			own = p
		}
	})
	if own == nil {
		return nil
	}
	return own.Serving()
}

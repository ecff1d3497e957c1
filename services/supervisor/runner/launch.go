package runner

import (
	"context"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// firstProbe bounds the question to a server that was there before its unit. Until then the unit says nothing, because gateways
// that send requests to that server would take it for one that is starting.
const firstProbe = 2 * time.Second

// atOnce is how long the loop waits for its driver. Most drivers answer within it, and the first that is said of a start has the process
// then. The engine of a container may take a minute; the loop goes on meanwhile, because those who wish something wait for it.
const atOnce = 250 * time.Millisecond

// launched is the answer of a driver.
type launched struct {
	server Server
	err    error
}

// ask has the driver do something beside the loop, and returns nil when the answer comes later, through launching.
func (l *loop) ask(ctx context.Context, do func(context.Context) (Server, error)) *launched {
	answer := make(chan launched, 1)
	l.waits.Go(func() {
		server, err := do(ctx)
		answer <- launched{server, err}
	})
	select {
	case came := <-answer:
		return &came
	case <-time.After(atOnce):
		l.launching = answer
		return nil
	}
}

// begin takes over the server that is there already, or starts one when it should run.
func (l *loop) begin(ctx context.Context) {
	switch a, ok := l.Driver.(Adopter); {
	case l.Policy.Remote && l.state.Desired != unit.Stopped:
		if came := l.ask(ctx, l.Driver.Start); came != nil {
			l.adopt(ctx, *came)
		}
	case ok && !l.Policy.Remote:
		if came := l.ask(ctx, a.Adopt); came != nil {
			l.adopt(ctx, *came)
		}
	default:
		l.adopt(ctx, launched{})
	}
}

// adopt goes on with what runs already, if anything does.
func (l *loop) adopt(ctx context.Context, came launched) {
	l.begun = true
	switch {
	case came.server != nil:
		l.own(came.server)
		ctx, cancel := context.WithTimeout(ctx, firstProbe)
		defer cancel()
		l.apply(unit.Event{Kind: unit.Adopted, Message: text(l.Probe(ctx, false))})
	case l.state.Desired == unit.Running && l.state.Phase != fleet.Failed:
		first := unit.Event{Kind: unit.Start}
		if l.Before.Starts > 0 || len(l.Before.Failures.Times) > 0 {
			first.Reason = unit.SupervisorRestarted
		}
		l.apply(first)
		if came.err != nil {
			l.fail(came.err)
		}
	default:
		l.Changed(l.status())
	}
	for _, wish := range l.early {
		l.apply(wish)
	}
	l.early = nil
}

// wish takes in what somebody wants. Before it is known what runs already that has to wait.
func (l *loop) wish(e unit.Event) {
	if !l.begun {
		l.early = append(l.early, e)
		return
	}
	l.apply(e)
}

// launch has a server started when that is among the effects, before anybody is told. It returns what has come of it by then.
func (l *loop) launch(effects []unit.Effect) *launched {
	if len(effects) == 0 || effects[0].Do != unit.Launch {
		return nil
	}
	if l.state.Starts > 1 {
		l.Launching(effects[0].Reason)
	}
	came := l.ask(l.work, l.Driver.Start)
	if came != nil && came.err == nil {
		l.own(came.server)
	}
	return came
}

// arrive goes on with an answer that took longer.
func (l *loop) arrive(ctx context.Context, came launched) {
	unwanted := l.unwanted
	l.launching, l.unwanted = nil, false
	switch {
	case !l.begun:
		l.adopt(ctx, came)
	case came.err == nil:
		l.own(came.server)
		l.Changed(l.status())
		if unwanted {
			came.server.Stop()
		}
	case l.state.Phase == fleet.Starting && !unwanted:
		l.fail(came.err)
	default: // it was to end before it had begun, so that there was no exit
		l.end(unit.Exit{})
	}
}

// depart leaves a server that outlives the unit. By then nobody waits for one that is about to come.
func (l *loop) depart() {
	server := l.server
	if l.launching != nil {
		server = (<-l.launching).server
	}
	if s, ok := server.(Leaver); ok {
		s.Leave()
	}
}

// terminate ends the server, or the one that is about to come.
func (l *loop) terminate() {
	if l.server == nil {
		l.unwanted = true
		return
	}
	l.server.Stop()
}

func (l *loop) own(server Server) {
	l.server, l.ended = server, server.Done()
	l.probed = make(chan error, 1)
	l.probing, l.endProbes = context.WithCancel(l.work)
	l.probeDue = time.After(0)
}

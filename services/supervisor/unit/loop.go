package unit

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// loop is what the goroutine of Run owns. A channel that is nil is not waited for.
type loop struct {
	Config
	work  context.Context // of what goes on beside the loop
	waits sync.WaitGroup  // for that
	state State

	server    Server
	ended     <-chan Exit
	retry     <-chan time.Time
	late      <-chan time.Time
	drained   chan struct{}
	probeDue  <-chan time.Time
	probed    chan error // of the present server
	endProbes context.CancelFunc
	probing   context.Context
}

func (l *loop) status() Status {
	s := Status{State: l.state}
	if l.server != nil {
		s.PID = l.server.PID()
	}
	return s
}

// apply lets Step decide and carries its effects out. A start that fails is the next event.
func (l *loop) apply(e Event) {
	e.At, e.Jitter = time.Now(), l.Jitter()
	before := l.state
	state, effects := Step(l.state, e)
	l.state = state
	if state.Phase != before.Phase {
		l.retry, l.late = nil, nil
	}
	for _, effect := range effects {
		if effect.Do == Launch {
			l.launch(effect)
			return
		}
	}
	l.Changed(l.status())
	for _, effect := range effects {
		switch effect.Do {
		case Drain:
			l.drain()
		case Terminate:
			l.server.Stop()
		case Schedule:
			l.retry = time.After(effect.After)
		}
	}
}

func (l *loop) launch(effect Effect) {
	if l.state.Starts > 1 {
		l.Launching(effect.Reason)
	}
	server, err := l.Driver.Start()
	if err == nil {
		l.server, l.ended = server, server.Done()
		l.probed = make(chan error, 1)
		l.probing, l.endProbes = context.WithCancel(l.work)
		l.probeDue = time.After(0)
		if !l.Policy.Remote {
			l.late = time.After(l.StartTimeout)
		}
	}
	l.Changed(l.status())
	if err != nil {
		l.apply(Event{Kind: Failed, Message: err.Error(), Permanent: errors.Is(err, ErrPermanent)})
	}
}

// forget drops the server that has ended and all that concerned it.
func (l *loop) forget() {
	l.endProbes()
	l.server, l.ended, l.probeDue, l.probed, l.drained = nil, nil, nil, nil, nil
}

// drain waits beside the loop. The channel belongs to this server: what another one's drain says later is not heard.
func (l *loop) drain() {
	done := make(chan struct{}, 1)
	l.drained = done
	ctx := l.probing // ends with the server
	l.waits.Go(func() {
		l.Drain(ctx)
		done <- struct{}{}
	})
}

// probe asks beside the loop.
func (l *loop) probe() {
	l.probeDue = nil
	ctx, result, ready := l.probing, l.probed, l.state.Phase != fleet.Starting
	l.waits.Go(func() { result <- l.Probe(ctx, ready) })
}

// judge passes a probe's result on and plans the next probe.
func (l *loop) judge(err error) {
	e := Event{Kind: Probed}
	if err != nil {
		e.Message = err.Error()
	}
	l.apply(e)
	wait := l.ProbeReady
	if l.state.Phase == fleet.Starting {
		wait = l.ProbeStarting
	}
	l.probeDue = time.After(wait)
}

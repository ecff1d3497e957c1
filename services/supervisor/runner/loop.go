package runner

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// loop is what the goroutine of Run owns. A channel that is nil is not waited for.
type loop struct {
	Config
	work   context.Context // of what goes on beside the loop
	waits  sync.WaitGroup  // for that
	state  unit.State
	timers map[unit.Kind]<-chan time.Time // of the present phase

	// of the present start while it is pending
	waiting      latest[unit.Event]
	admitted     chan admission
	asked        chan struct{} // closed when Admit has answered; nil before the first start
	endAdmission context.CancelFunc
	release      func() // what was admitted, once; never nil

	// of the last server
	freed   chan string // what its devices lack
	endFree context.CancelFunc

	launching chan launched // the answer of the driver while it is waited for beside the loop
	unwanted  bool          // what comes of that is to be ended
	begun     bool          // it is known what runs already
	early     []unit.Event  // wishes that came before

	// of the present server
	server    Server
	ended     <-chan unit.Exit
	drained   chan struct{}
	turned    chan unit.Event // whether it went to sleep, or woke up
	probeDue  <-chan time.Time
	probed    chan error
	endProbes context.CancelFunc
	probing   context.Context
}

func newLoop(cfg Config, work context.Context) *loop {
	nothing := func() {}
	return &loop{Config: cfg, work: work, state: unit.New(cfg.Policy, cfg.Before, time.Now()),
		timers: map[unit.Kind]<-chan time.Time{}, endAdmission: nothing, release: nothing, endProbes: nothing, endFree: nothing}
}

func (l *loop) status() unit.Status {
	s := unit.Status{State: l.state}
	if l.server != nil {
		s.PID = l.server.PID()
	}
	return s
}

// apply lets Step decide and carries its effects out. A start that fails is the next event.
func (l *loop) apply(e unit.Event) {
	e.At, e.Jitter = time.Now(), l.Jitter()
	before := l.state.Phase
	state, effects := unit.Step(l.state, e)
	l.state = state
	if state.Phase != before {
		l.leave(before)
	}
	came := l.launch(effects)
	l.Changed(l.status())
	for _, effect := range effects {
		switch effect.Do {
		case unit.Admit:
			l.admit()
		case unit.Drain:
			l.drain()
		case unit.Terminate:
			l.terminate()
		case unit.Sleep:
			l.turn(unit.Slept, l.Sleep)
		case unit.Wake:
			l.turn(unit.Woken, l.Wake)
		case unit.Free:
			l.free()
		case unit.Schedule:
			l.timers[effect.Then] = time.After(effect.After)
		}
	}
	if came != nil && came.err != nil {
		l.fail(came.err)
	}
}

// leave drops what belonged to the phase before.
func (l *loop) leave(before fleet.Phase) {
	clear(l.timers)
	if before == fleet.Pending {
		l.endAdmission()
		l.waiting, l.admitted = nil, nil
	}
	if before == fleet.Stopping {
		l.endFree()
		l.freed = nil
	}
	if l.state.Phase == fleet.Ready || !l.state.Up() {
		l.release()
		l.release = func() {}
	}
}

func (l *loop) fail(err error) {
	f := unit.Finding{}
	if known, ok := errors.AsType[*unit.Finding](err); ok {
		f = *known
	}
	f.Message = err.Error()
	l.apply(unit.Event{Kind: unit.Failed, Finding: f})
}

// end drops the server that has ended and all that concerned it.
func (l *loop) end(exit unit.Exit) {
	l.endProbes()
	l.server, l.ended, l.probeDue, l.probed, l.drained, l.turned = nil, nil, nil, nil, nil, nil
	e := unit.Event{Kind: unit.Ended, Exit: exit}
	if l.state.Phase != fleet.Draining && l.state.Phase != fleet.Stopping {
		e.Finding = l.Explain(exit)
	}
	l.apply(e)
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

// free waits beside the loop. The channel belongs to this server.
func (l *loop) free() {
	ctx, cancel := context.WithCancel(l.work)
	freed := make(chan string, 1)
	l.freed, l.endFree = freed, cancel
	l.waits.Go(func() { freed <- l.Free(ctx) })
}

// turn puts the server to sleep or wakes it, beside the loop.
func (l *loop) turn(then unit.Kind, do func(context.Context) error) {
	ctx, turned := l.probing, make(chan unit.Event, 1)
	l.turned = turned
	l.waits.Go(func() { turned <- unit.Event{Kind: then, Message: text(do(ctx))} })
}

// probe asks beside the loop.
func (l *loop) probe() {
	l.probeDue = nil
	ctx, result, ready := l.probing, l.probed, l.state.Phase != fleet.Starting
	l.waits.Go(func() { result <- l.Probe(ctx, ready) })
}

// judge passes a probe's result on and plans the next probe.
func (l *loop) judge(err error) {
	l.apply(unit.Event{Kind: unit.Probed, Message: text(err)})
	wait := l.ProbeReady
	if l.state.Phase == fleet.Starting {
		wait = l.ProbeStarting
	}
	l.probeDue = time.After(wait)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

package life

import (
	"context"
	"net"
	"sync"
	"sync/atomic"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/console"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
)

// Life is that of a server and of its engine.
type Life struct {
	Faults faults.Injector

	clock      clock.Clock
	console    *console.Console
	dead, hung atomic.Bool   // the engine has died; nobody is answered any more
	died       chan struct{} // closed when the engine has died
	stopping   chan struct{} // closed when the server begins to end
	rules      chan struct{} // holds a value when rules were set
	enacting   sync.Mutex
	door       *door // guarded by enacting until Open
}

// New makes the life of a server that has not begun, under rules.
func New(c clock.Clock, log *console.Console, rules faults.Set) *Life {
	l := &Life{clock: c, console: log, died: make(chan struct{}), stopping: make(chan struct{}), rules: make(chan struct{}, 1)}
	l.Faults.Put(rules, c.Now())
	return l
}

// Dead tells whether the engine has died.
func (l *Life) Dead() bool { return l.dead.Load() }

// Died is closed when the engine has died.
func (l *Life) Died() <-chan struct{} { return l.died }

// Stop begins the end of the server. It must be called once.
func (l *Life) Stop() { close(l.stopping) }

// Stopping is closed when the server begins to end.
func (l *Life) Stopping() <-chan struct{} { return l.stopping }

// Open has the faults that were set so far begin now. They can refuse connections of the listener that it returns.
func (l *Life) Open(ln net.Listener) net.Listener {
	l.enacting.Lock()
	defer l.enacting.Unlock()
	l.door = newDoor(ln)
	l.Faults.Put(l.Faults.Get(), l.clock.Now())
	return l.door
}

// Number is the how manieth connection, since Open, one from that address is.
func (l *Life) Number(addr string) int64 { return l.door.number(addr) }

// SetFaults replaces all rules, which must be valid; faults.Parse makes such.
func (l *Life) SetFaults(set faults.Set) {
	l.Faults.Put(set, l.clock.Now())
	l.enact()
	select {
	case l.rules <- struct{}{}:
	default: // the timeline is about to look
	}
}

// enact does what the rules want of the server as a whole now.
func (l *Life) enact() faults.State {
	l.enacting.Lock()
	defer l.enacting.Unlock()
	state := l.Faults.State(l.clock.Now())
	if l.door != nil {
		l.door.refuse(state.Refuse)
	}
	if state.Death != "" {
		l.Die(state.Death)
	}
	return state
}

// Timeline does at its time what the rules want of the server as a whole.
func (l *Life) Timeline(ctx context.Context) {
	timer := l.clock.NewTimer()
	defer timer.Stop()
	for ctx.Err() == nil {
		state := l.enact()
		if state.Next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(state.Next)
		}
		select {
		case <-ctx.Done():
		case <-l.rules:
		case <-timer.C():
		}
	}
}

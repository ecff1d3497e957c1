package runner

import (
	"context"

	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// admission is the answer of Admit.
type admission struct {
	release func()
	err     error
}

// admit asks beside the loop, once nobody asks for an earlier start any more: rules know them by their server alone. The channels
// belong to this start: what is said of another is not heard.
func (l *loop) admit() {
	ctx, cancel := context.WithCancel(l.work)
	waiting, admitted := newLatest[unit.Event](), make(chan admission)
	before, asked := l.asked, make(chan struct{})
	l.waiting, l.admitted, l.asked, l.endAdmission = waiting, admitted, asked, cancel
	l.waits.Go(func() {
		defer close(asked)
		if before != nil {
			<-before
		}
		release, err := l.Admit(ctx, func(why unit.Reason, message string) {
			waiting.put(unit.Event{Kind: unit.Waiting, Reason: why, Message: message})
		})
		select {
		case admitted <- admission{release, err}:
		case <-ctx.Done():
			if err == nil {
				release()
			}
		}
	})
}

// take goes on with the answer of Admit.
func (l *loop) take(a admission) {
	if a.err != nil {
		l.fail(a.err)
		return
	}
	l.release = a.release
	l.apply(unit.Event{Kind: unit.Admitted})
}

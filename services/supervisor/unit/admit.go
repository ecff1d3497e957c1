package unit

import "context"

// admission is the answer of Admit.
type admission struct {
	release func()
	err     error
}

// admit asks beside the loop. The channels belong to this start: what is said of another is not heard.
func (l *loop) admit() {
	ctx, cancel := context.WithCancel(l.work)
	waiting, admitted := newLatest[Event](), make(chan admission)
	l.waiting, l.admitted, l.endAdmission = waiting, admitted, cancel
	l.waits.Go(func() {
		release, err := l.Admit(ctx, func(why Reason, message string) {
			waiting.put(Event{Kind: Waiting, Reason: why, Message: message})
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
	l.apply(Event{Kind: Admitted})
}

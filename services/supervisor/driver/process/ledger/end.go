package ledger

import (
	"context"
	"maps"
	"slices"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc"
)

const (
	// endPoll is the time between two looks at what is still there.
	endPoll = 50 * time.Millisecond
	// endPatience is how long a process may take to be gone after SIGKILL. One that waits for a device in the kernel may never be.
	endPatience = 10 * time.Second
)

// EndLeft ends what a predecessor has left, by SIGKILL; a guard that is there has grace to do that itself. It returns the names of the
// servers of which something was left.
func (l *Ledger) EndLeft(ctx context.Context, grace time.Duration) []string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(l.left)) {
		e := l.left[name]
		table := proc.Read()
		left := e.left(table)
		if len(left) == 0 {
			continue
		}
		found = append(found, name)
		e.Workers = left // which nothing leads to once their guard has ended
		l.log.Warn("ending what an earlier supervisor has left running", zap.String("instance", name), zap.String("processes", describe(table, left)))
		if e.Guard.Alive() {
			e.await(ctx, grace, func(proc.ID) {})
		}
		l.kill(ctx, name, e)
	}
	l.left = nil
	return found
}

// End kills what is left of a server whose guard is dead.
func (l *Ledger) End(name string) {
	l.mu.Lock()
	e, ok := l.servers[name]
	l.mu.Unlock()
	if ok {
		l.kill(context.Background(), name, e)
	}
}

func (l *Ledger) kill(ctx context.Context, name string, e Entry) {
	if left := e.await(ctx, endPatience, func(id proc.ID) { id.Signal(syscall.SIGKILL) }); len(left) > 0 {
		l.log.Error("these processes cannot be ended", zap.String("instance", name), zap.String("processes", describe(proc.Read(), left)))
	}
}

// await returns once nothing is left of the entry, or as late as it may. Until then each is called with all that is left.
func (e Entry) await(ctx context.Context, patience time.Duration, each func(proc.ID)) []proc.ID {
	poll := time.NewTicker(endPoll)
	defer poll.Stop()
	for deadline := time.After(patience); ; {
		left := e.left(proc.Read())
		if len(left) == 0 {
			return nil
		}
		for _, id := range left {
			each(id)
		}
		e.Workers = left
		select {
		case <-poll.C:
		case <-deadline:
			return left
		case <-ctx.Done():
			return left
		}
	}
}

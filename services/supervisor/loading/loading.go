package loading

import (
	"context"
	"fmt"

	"golang.org/x/sync/semaphore"

	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Rule waits until a server may load, or ctx ends. It tells what it waits for, and again when that changes. release gives back what
// the server was given, and is called once, when it is ready or has ended.
type Rule func(ctx context.Context, waiting func(unit.Reason, string)) (release func(), err error)

// All asks the rules one after the other.
func All(rules ...Rule) Rule {
	return func(ctx context.Context, waiting func(unit.Reason, string)) (func(), error) {
		var given []func()
		release := func() {
			for i := len(given) - 1; i >= 0; i-- {
				given[i]()
			}
		}
		for _, rule := range rules {
			back, err := rule(ctx, waiting)
			if err != nil {
				release()
				return nil, err
			}
			given = append(given, back)
		}
		return release, nil
	}
}

// After waits for what a server needs. missing says what is not there yet, "" when all is, and gives a channel that is closed when
// that may have changed.
func After(missing func() (string, <-chan struct{})) Rule {
	return func(ctx context.Context, waiting func(unit.Reason, string)) (func(), error) {
		for told := ""; ; {
			what, changed := missing()
			if what == "" {
				return func() {}, nil
			}
			if what != told {
				told = what
				waiting(unit.WaitingForDependency, what)
			}
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-changed:
			}
		}
	}
}

// Slots lets n servers load at a time. The others wait in the order in which they came.
func Slots(n int) Rule {
	slots := semaphore.NewWeighted(int64(n)) // first come, first served; nobody who tries gets ahead of who waits
	return func(ctx context.Context, waiting func(unit.Reason, string)) (func(), error) {
		if !slots.TryAcquire(1) {
			waiting(unit.WaitingForSlot, fmt.Sprintf("%d load already, as many as may at a time", n))
			if err := slots.Acquire(ctx, 1); err != nil {
				return nil, err
			}
		}
		return func() { slots.Release(1) }, nil
	}
}

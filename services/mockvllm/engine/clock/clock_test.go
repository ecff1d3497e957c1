package clock

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Unix(1000, 0)

// tick is when somebody's timer fired.
type tick struct {
	who int
	at  time.Duration
}

func TestAdvanceWaitsForTheOwners(t *testing.T) {
	c := NewManual(start)
	var mu sync.Mutex
	var ticks []tick
	var owners sync.WaitGroup
	own := func(who int, period time.Duration, times int) {
		timer := c.NewTimer()
		timer.Reset(c.Now().Add(period))
		owners.Go(func() {
			defer timer.Stop()
			for range times {
				now := <-timer.C()
				mu.Lock()
				ticks = append(ticks, tick{who, now.Sub(start)})
				mu.Unlock()
				timer.Reset(now.Add(period))
			}
		})
	}
	own(1, 2*time.Second, 3)
	own(2, 3*time.Second, 2)
	advance := func(d, now time.Duration, want ...tick) {
		t.Helper()
		at, err := c.Advance(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if diff := cmp.Diff(want, ticks, cmp.AllowUnexported(tick{})); diff != "" || at.Sub(start) != now || !c.Now().Equal(at) {
			t.Errorf("it is %s, want %s; ticks (-want +got):\n%s", at.Sub(start), now, diff)
		}
		ticks = nil
	}
	advance(time.Second, time.Second)
	advance(2*time.Second, 3*time.Second, tick{1, 2 * time.Second}, tick{2, 3 * time.Second})
	advance(-time.Second, 3*time.Second)
	advance(time.Minute, 63*time.Second, tick{1, 4 * time.Second}, tick{2, 6 * time.Second}, tick{1, 6 * time.Second})
	owners.Wait()
	advance(time.Minute, 123*time.Second)
}

func TestManualTimer(t *testing.T) {
	c := NewManual(start)
	timer := c.NewTimer()
	fired := func(want bool) {
		t.Helper()
		select {
		case <-timer.C():
			if !want {
				t.Error("it fired")
			}
		default:
			if want {
				t.Error("it did not fire")
			}
		}
	}
	timer.Reset(start.Add(-time.Second)) // has passed
	fired(true)
	timer.Reset(start)
	timer.Stop() // takes the tick back
	fired(false)
	timer.Reset(start.Add(time.Second))
	timer.Reset(start.Add(3 * time.Second))
	if _, err := c.Advance(t.Context(), 2*time.Second); err != nil {
		t.Error(err)
	}
	fired(false)
	timer.Stop()
	timer.Stop()
	if _, err := c.Advance(t.Context(), time.Hour); err != nil {
		t.Error(err)
	}
	fired(false)
}

func TestAdvanceEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewManual(start)
		timer := c.NewTimer()
		timer.Hold() // and its owner never comes
		f := func() {
			t.Helper()
			ctx, stop := context.WithTimeout(t.Context(), time.Second)
			defer stop()
			if _, err := c.Advance(ctx, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("it ended with %v", err)
			}
		}
		var all sync.WaitGroup
		all.Go(f)
		all.Go(f) // waits for its turn
		all.Wait()
		timer.Stop()
		if at, err := c.Advance(t.Context(), time.Minute); err != nil || at.Sub(start) != time.Minute {
			t.Errorf("%s, %v", at, err)
		}
	})
}

func TestReal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Clock = Real{}
		began := c.Now()
		timer := c.NewTimer()
		timer.Hold()
		timer.Reset(began.Add(time.Hour))
		if at := <-timer.C(); at.Sub(began) != time.Hour || c.Virtual() {
			t.Errorf("it fired after %s", at.Sub(began))
		}
		timer.Reset(began)
		timer.Stop()
		select {
		case <-timer.C():
			t.Error("it fired after Stop")
		default:
		}
	})
}

package clock

import (
	"context"
	"sync"
	"time"
)

// Manual is a virtual clock.
type Manual struct {
	turn chan struct{} // holds a value while somebody advances

	mu      sync.Mutex
	now     time.Time
	armed   []*manualTimer // in no order
	busy    int            // timers whose owner has something to do
	settled chan struct{}  // closed and replaced when busy falls to 0
}

// NewManual returns a clock that stands at start.
func NewManual(start time.Time) *Manual {
	return &Manual{turn: make(chan struct{}, 1), now: start, settled: make(chan struct{})}
}

// Now is where the clock stands.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Since is how long ago t was where the clock stands.
func (m *Manual) Since(t time.Time) time.Duration { return m.Now().Sub(t) }

// Virtual is true.
func (m *Manual) Virtual() bool { return true }

// NewTimer returns a timer that fires while the clock is advanced.
func (m *Manual) NewTimer() Timer { return &manualTimer{clock: m, c: make(chan time.Time, 1)} }

// Advance moves the clock by d. Each timer that is due by then fires at its own time, also those that are armed meanwhile,
// and the clock goes on when its owner is ready. It returns where the clock stands, and an error if ctx ended before.
func (m *Manual) Advance(ctx context.Context, d time.Duration) (time.Time, error) {
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return m.Now(), ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	target := m.now.Add(max(d, 0))
	for {
		if err := m.settle(ctx); err != nil {
			return m.now, err
		}
		t := m.earliest()
		if t == nil || t.at.After(target) {
			m.now = target
			return m.now, nil
		}
		if t.at.After(m.now) {
			m.now = t.at
		}
		t.fire()
	}
}

// settle waits, without the lock, until no owner has anything to do.
func (m *Manual) settle(ctx context.Context) error {
	for m.busy > 0 {
		settled := m.settled
		m.mu.Unlock()
		select {
		case <-settled:
		case <-ctx.Done():
		}
		m.mu.Lock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (m *Manual) earliest() *manualTimer {
	var first *manualTimer
	for _, t := range m.armed {
		if first == nil || t.at.Before(first.at) {
			first = t
		}
	}
	return first
}

type manualTimer struct {
	clock *Manual
	c     chan time.Time

	// guarded by the clock's mutex
	at    time.Time
	index int // in armed
	armed bool
	busy  bool
}

func (t *manualTimer) C() <-chan time.Time { return t.c }

func (t *manualTimer) Reset(at time.Time) {
	m := t.clock
	m.mu.Lock()
	defer m.mu.Unlock()
	t.disarm()
	t.at, t.armed, t.index = at, true, len(m.armed)
	m.armed = append(m.armed, t)
	if at.After(m.now) {
		t.setBusy(false)
	} else {
		t.fire()
	}
}

func (t *manualTimer) Stop() {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	t.disarm()
	t.setBusy(false)
}

func (t *manualTimer) Hold() {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	t.setBusy(true)
}

func (t *manualTimer) fire() {
	t.disarm()
	t.setBusy(true)
	t.c <- t.clock.now // disarm made room
}

func (t *manualTimer) disarm() {
	select {
	case <-t.c:
	default:
	}
	if !t.armed {
		return
	}
	t.armed = false
	m := t.clock
	last := m.armed[len(m.armed)-1]
	m.armed[t.index], last.index = last, t.index
	m.armed[len(m.armed)-1] = nil
	m.armed = m.armed[:len(m.armed)-1]
}

func (t *manualTimer) setBusy(busy bool) {
	if t.busy == busy {
		return
	}
	t.busy = busy
	m := t.clock
	if busy {
		m.busy++
		return
	}
	if m.busy--; m.busy == 0 {
		close(m.settled)
		m.settled = make(chan struct{})
	}
}

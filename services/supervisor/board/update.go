package board

import (
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// Update stores a unit's status and returns the one before. Watchers learn of it when there is something to see: of a phase at once,
// of a message alone within a second. record is called first, with the board locked: what it keeps is there for everybody who learns of
// the status, and comes before all that follows from that. It may be nil, and must not wait for anything.
func (b *Board) Update(i *Instance, now unit.Status, record func(before unit.Status)) unit.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := i.Status
	if record != nil {
		record(before)
	}
	i.Status = now
	first := i.silent
	if first {
		i.silent = false
		b.silent--
	}
	switch {
	case first || before.Phase != now.Phase || before.Reason != now.Reason || before.Starts != now.Starts ||
		before.Desired != now.Desired || before.Asleep != now.Asleep:
		b.revision++
		i.shown = b.revision
		b.wake()
	case before.Message != now.Message:
		b.revision++
		b.wakeLater()
	case before.By != now.By: // gateways are not told; a drain goes by it
		b.wake()
	}
	return before
}

// messagesEvery is how often watchers hear of messages alone: a fleet that loads tells its progress all the time.
const messagesEvery = time.Second

// wakeLater wakes watchers once for all that happens until then. The board is locked.
func (b *Board) wakeLater() {
	if b.waking {
		return
	}
	b.waking = true
	time.AfterFunc(messagesEvery, func() {
		b.Read(func() {
			b.waking = false
			b.wake()
		})
	})
}

// Shown returns the revision that first showed the present phase of an instance.
func (b *Board) Shown(i *Instance) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return i.shown
}

// Status returns what the unit of an instance last said.
func (b *Board) Status(i *Instance) unit.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	return i.Status
}

package swap

import (
	"cmp"
	"slices"
	"time"
)

// leastResidency is that of models whose start is quick.
const leastResidency = 10 * time.Second

// Limits are those of a group.
type Limits struct {
	Loaded    int           // so many models at a time, at least 1
	Residency time.Duration // for which one stays once it is ready; 0 for as long as its start took
}

// stage is how far a member is.
type stage int

const (
	waiting stage = iota // for a place
	loading              // it has one and is not ready yet, or not any more
	ready
	leaving // it is being drained or ended
)

// member is a model of a group that wants a place or has one.
type member struct {
	model string
	stage stage
	since time.Time     // of its stage
	took  time.Duration // its last start
	busy  bool          // has requests

	needed bool      // keeps its place
	used   time.Time // when it had its last one
}

// stays tells how long a model that is ready keeps its place at least.
func (l Limits) stays(m member) time.Duration {
	return cmp.Or(l.Residency, max(m.took, leastResidency))
}

// decide gives places to those that wait, in order, and names those that have to make room for the rest.
func decide(l Limits, members []member, now time.Time) (admit, evict []string) {
	var queue, loaded []member
	free, coming := l.Loaded, 0
	for _, m := range members {
		if m.stage != waiting {
			free--
		}
		switch m.stage {
		case waiting:
			queue = append(queue, m)
		case ready:
			if now.Sub(m.since) >= l.stays(m) && !m.needed {
				loaded = append(loaded, m)
			}
		case leaving:
			coming++
		case loading:
		}
	}
	slices.SortFunc(queue, func(a, b member) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.model, b.model))
	})
	slices.SortFunc(loaded, func(a, b member) int {
		return cmp.Or(order(a.busy)-order(b.busy), a.used.Compare(b.used), a.since.Compare(b.since), cmp.Compare(a.model, b.model))
	})
	for _, m := range queue {
		switch {
		case free > 0:
			free--
			admit = append(admit, m.model)
		case free+coming > 0:
			coming--
		case len(loaded) > 0:
			evict = append(evict, loaded[0].model)
			loaded = loaded[1:]
		}
	}
	return admit, evict
}

func order(busy bool) int {
	if busy {
		return 1
	}
	return 0
}

package journal

import (
	"sync"
)

// Journal keeps the newest requests that are over. The zero value remembers none; use New.
type Journal struct {
	mu       sync.Mutex
	ring     []Record
	recorded int // since the start or the last Clear
}

// New keeps the newest size requests.
func New(size int) *Journal { return &Journal{ring: make([]Record, 0, size)} }

// List is the answer of the journal's endpoint.
type List struct {
	Capacity int      `json:"capacity"` // requests kept at most
	Recorded int      `json:"recorded"` // requests over since the start or the last Clear, forgotten ones included
	Requests []Record `json:"requests"` // oldest first
}

// add forgets the oldest record when there are too many.
func (j *Journal) add(r Record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.ring) < cap(j.ring) {
		j.ring = append(j.ring, r)
	} else {
		j.ring[j.recorded%len(j.ring)] = r
	}
	j.recorded++
}

// List returns the requests with the given id, or all without one, in the order in which they ended.
func (j *Journal) List(requestID string) List {
	j.mu.Lock()
	defer j.mu.Unlock()
	l := List{Capacity: cap(j.ring), Recorded: j.recorded, Requests: []Record{}}
	for i := range j.ring {
		oldest := max(0, j.recorded-len(j.ring))
		r := j.ring[(oldest+i)%len(j.ring)]
		if requestID == "" || r.RequestID == requestID {
			l.Requests = append(l.Requests, r)
		}
	}
	return l
}

// Clear forgets everything.
func (j *Journal) Clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	clear(j.ring)
	j.ring, j.recorded = j.ring[:0], 0
}

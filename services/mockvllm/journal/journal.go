package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"sync/atomic"
)

// Journal keeps the newest requests that are over. Use New.
type Journal struct {
	inFlight atomic.Int64

	mu           sync.Mutex
	ring         []kept
	recorded     int // since the start or the last Clear
	aborted      ByWhom
	counts       map[countKey]*Counts
	counted      *Counts // the last, which most count in again; nil is none
	method, path string  // of the last one, to be used again
}

// kept is a Record without what is made of the rest when it is listed.
type kept struct {
	record Record
	header string // packed
	body   [sha256.Size]byte
}

func (k *kept) listed() Record {
	r := k.record
	r.Header = unpack(k.header)
	if r.Rules == nil {
		r.Rules = []int{} // a list in JSON
	}
	if r.BodyBytes > 0 {
		r.BodySHA256 = hex.EncodeToString(k.body[:])
	}
	return r
}

// New keeps the newest size requests.
func New(size int) *Journal {
	return &Journal{ring: make([]kept, 0, size), counts: map[countKey]*Counts{}}
}

// again is s as the record before had it: thousands of copies of one path are work for the garbage collector.
func again(s, before string) string {
	if s == before {
		return before
	}
	return short(s)
}

// List is the answer of the journal's endpoint.
type List struct {
	Capacity int      `json:"capacity"` // requests kept at most
	Recorded int      `json:"recorded"` // requests over since the start or the last Clear, forgotten ones included
	Requests []Record `json:"requests"` // oldest first
}

// add forgets the oldest record when there are too many.
func (j *Journal) add(k *kept) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := &k.record
	r.Method, r.Path = again(r.Method, j.method), again(r.Path, j.path)
	j.method, j.path = r.Method, r.Path
	if len(j.ring) < cap(j.ring) {
		j.ring = append(j.ring, *k)
	} else {
		j.ring[j.recorded%len(j.ring)] = *k
	}
	j.recorded++
	j.count(r)
	j.inFlight.Add(-1) // with the lock: whoever reads 0 finds the request
}

// List returns the requests with the given id, or all without one, in the order in which they ended. The id may have the prefix that
// it has in answers: chatcmpl- or cmpl-.
func (j *Journal) List(requestID string) List {
	bare := strings.TrimPrefix(strings.TrimPrefix(requestID, "chatcmpl-"), "cmpl-")
	j.mu.Lock()
	defer j.mu.Unlock()
	l := List{Capacity: cap(j.ring), Recorded: j.recorded, Requests: []Record{}}
	for i := range j.ring {
		oldest := max(0, j.recorded-len(j.ring))
		k := &j.ring[(oldest+i)%len(j.ring)]
		if requestID == "" || k.record.RequestID == requestID || k.record.RequestID == bare {
			l.Requests = append(l.Requests, k.listed())
		}
	}
	return l
}

// Clear forgets everything but what is in flight.
func (j *Journal) Clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	clear(j.ring)
	clear(j.counts)
	j.ring, j.recorded, j.aborted, j.counted = j.ring[:0], 0, ByWhom{}, nil
}

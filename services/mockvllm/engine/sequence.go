package engine

import (
	"sync/atomic"
	"time"
)

// Request is one sequence of tokens to be delivered.
type Request struct {
	Prompt int           // tokens read
	Prefix []Block       // of the prompt, as Prefix gives them; none without a prefix cache
	Tokens int           // tokens to deliver, at least 1
	Reason string        // finish reason once all are delivered
	Wake   chan struct{} // capacity 1; gets a value after each progress; sequences of one answer share it
}

// Sequence is a submitted request. The engine writes it, its submitter reads Progress.
type Sequence struct {
	Request

	progress atomic.Int64 // tokens delivered, negative minus one once ended

	// owned by the engine's goroutine
	arrived, started, first, last time.Time
	delivered                     int
	due                           time.Time
	index                         int // in the heap of running ones, -1 outside of it
	state                         state
}

type state int

const (
	waiting state = iota
	running
	ended
)

// Progress returns how many tokens were delivered and whether no more will come. An ended sequence with fewer tokens
// than asked for was aborted.
func (s *Sequence) Progress() (tokens int, over bool) {
	n := int(s.progress.Load())
	if n < 0 {
		return -n - 1, true
	}
	return n, false
}

func (s *Sequence) publish() {
	n := int64(s.delivered)
	if s.state == ended {
		n = -n - 1
	}
	s.progress.Store(n)
	select {
	case s.Wake <- struct{}{}:
	default: // a wake is pending already
	}
}

// Delivered is how many tokens it has. It is for the engine's observer.
func (s *Sequence) Delivered() int { return s.delivered }

// Durations are the phases of a finished sequence.
type Durations struct{ Queue, Prefill, Decode, EndToEnd time.Duration }

func (s *Sequence) blocks() int64 {
	return int64((s.Prompt + s.delivered + BlockTokens - 1) / BlockTokens)
}

// durations of the phases that were entered; the others are 0.
func (s *Sequence) durations(now time.Time) Durations {
	d := Durations{EndToEnd: now.Sub(s.arrived)}
	if s.started.IsZero() {
		d.Queue = d.EndToEnd
		return d
	}
	d.Queue = s.started.Sub(s.arrived)
	if s.first.IsZero() {
		d.Prefill = now.Sub(s.started)
		return d
	}
	d.Prefill = s.first.Sub(s.started)
	d.Decode = s.last.Sub(s.first)
	return d
}

// runningHeap orders sequences by the deadline of their next token.
type runningHeap []*Sequence

func (h runningHeap) Len() int           { return len(h) }
func (h runningHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h runningHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is for container/heap.
func (h *runningHeap) Push(x any) {
	s := x.(*Sequence)
	s.index = len(*h)
	*h = append(*h, s)
}

// Pop is for container/heap.
func (h *runningHeap) Pop() any {
	old := *h
	s := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	s.index = -1
	return s
}

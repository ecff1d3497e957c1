package store

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/clip"
)

const (
	// Keep is how many events can be read; they are in memory.
	Keep = 10_000
	// retry is the wait before what could not be written is tried again.
	retry = 10 * time.Second
)

// Events is what happened, in order. An event is told to readers once it is on disk, so that nobody knows of one that a crash undoes;
// nobody who adds one waits for that. When the disk fails, events are told all the same and written when it works again, as long as
// they are kept.
type Events struct {
	log  *zap.Logger
	file *eventFile // nil: there is none

	wake chan struct{} // has a value when there is something to write

	mu       sync.Mutex
	kept     []Event       // by number
	last     uint64        // number of the last event
	told     uint64        // number of the last that readers may see
	news     chan struct{} // closed when there is more to see
	failures uint64        // of writes
}

// newEvents takes up what is in the folder; nil keeps events in memory alone.
func newEvents(folder *Folder, log *zap.Logger) (*Events, error) {
	// Numbers begin at the time in microseconds, or beyond the last that is known. So they do not repeat either when there is no folder,
	// or when the disk had failed before a restart, and somebody who comes back with an old number never waits for it to be reached again.
	e := &Events{log: log, wake: make(chan struct{}, 1), news: make(chan struct{}), last: uint64(time.Now().UnixMicro()) - 1}
	if folder == nil {
		return e, nil
	}
	file, found, err := openEvents(folder, maxFile, func(event Event) { e.keep(event) })
	if err != nil {
		return nil, fmt.Errorf("open the events in the state folder: %w", err)
	}
	e.file = file
	if n := len(e.kept); n > 0 {
		e.told = e.kept[n-1].Number
		e.last = max(e.last, e.told)
	}
	if found.lines > 0 {
		log.Warn("some lines of the event files are damaged and left out", zap.Int("lines", found.lines))
	}
	if found.torn > 0 {
		log.Warn("the last write of the event file was torn and is cut off", zap.Int64("bytes", found.torn))
	}
	return e, nil
}

// Add gives an event its number, and the present time unless it has one. It does not wait for the disk.
func (e *Events) Add(event Event) {
	event.Message = clip.Text(event.Message, maxMessage)
	if event.At.IsZero() {
		event.At = time.Now()
	}
	event.At = event.At.UTC().Round(time.Microsecond) // as everybody reads it
	e.mu.Lock()
	e.last++
	event.Number = e.last
	e.keep(event)
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default: // it is to be written already
	}
}

// keep adds an event and drops the oldest beyond the limit, many at once.
func (e *Events) keep(event Event) {
	if len(e.kept) >= 2*Keep {
		e.kept = append(e.kept[:0:0], e.kept[len(e.kept)-Keep:]...)
	}
	e.kept = append(e.kept, event)
}

// After returns the events with a higher number, at most the last 10,000, and a channel that is closed when there are more.
func (e *Events) After(number uint64) ([]Event, <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	end := e.upTo(e.told)
	begin := max(e.upTo(number), len(e.kept)-Keep)
	return slices.Clone(e.kept[min(begin, end):end]), e.news
}

// upTo is how many of the events that are kept have at most this number.
func (e *Events) upTo(number uint64) int {
	return sort.Search(len(e.kept), func(i int) bool { return e.kept[i].Number > number })
}

// Told returns once readers may see every event that was added so far, or it took too long, or ctx ends. It needs Run.
func (e *Events) Told(ctx context.Context) {
	e.mu.Lock()
	want := e.told
	if n := len(e.kept); n > 0 {
		want = e.kept[n-1].Number
	}
	e.mu.Unlock()
	waitUntil(ctx, &e.mu, &e.news, func() bool { return e.told >= want })
}

// Failures counts the writes that failed.
func (e *Events) Failures() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failures
}

// Run writes and tells what is added until ctx ends, and then the rest.
func (e *Events) Run(ctx context.Context) {
	saved := e.told
	var again <-chan time.Time // set while writing fails
	for over := false; !over; {
		due := again == nil
		select {
		case <-e.wake:
		case <-again:
			due = true
		case <-ctx.Done():
			over, due = true, true
		}
		events := e.after(saved)
		if len(events) == 0 {
			continue
		}
		if due {
			err := e.write(events)
			e.report(err, again != nil)
			if again = nil; err == nil {
				saved = events[len(events)-1].Number
			} else {
				again = time.After(retry)
			}
		}
		e.tell(events[len(events)-1].Number)
	}
}

// after is what was added after the event with this number, told or not.
func (e *Events) after(number uint64) []Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.kept[e.upTo(number):])
}

func (e *Events) write(events []Event) error {
	if e.file == nil {
		return nil
	}
	return e.file.append(events)
}

// report counts failures, and logs the first of several in a row and their end.
func (e *Events) report(err error, failing bool) {
	switch {
	case err == nil && failing:
		e.log.Info("events can be written again")
	case err == nil:
		return
	case !failing:
		e.log.Error("events cannot be written; they are kept in memory and tried again", zap.Duration("every", retry), zap.Error(err))
	}
	if err != nil {
		e.mu.Lock()
		e.failures++
		e.mu.Unlock()
	}
}

// tell lets readers see the events up to this number.
func (e *Events) tell(number uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told = number
	close(e.news)
	e.news = make(chan struct{})
}

func (e *Events) close() error {
	if e.file == nil {
		return nil
	}
	return e.file.f.Close()
}

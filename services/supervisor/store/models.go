package store

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

const modelsName = "desired.json"

// Model is what is remembered of a model.
type Model struct {
	Desired  string              `json:"desired,omitempty"`  // what people said last, "" when nobody has said anything
	Starts   map[string]int      `json:"starts,omitempty"`   // of servers, by instance
	Restarts map[string]int      `json:"restarts,omitempty"` // of these, by instance; none of one that was not restarted
	Failures map[string]Failures `json:"failures,omitempty"` // of servers, by instance; none of one that has nothing to answer for
}

// Failures is what is remembered of those of one server.
type Failures struct {
	Times   []time.Time `json:"times"`             // of the last ones, the oldest first
	Reason  string      `json:"reason,omitempty"`  // for which it was given up, "" when it was not
	Message string      `json:"message,omitempty"` // that goes with it
	Of      string      `json:"of,omitempty"`      // tells the command that failed from another one
}

// Models is what is remembered of the models, by id. It is written as a whole, soon after a change.
type Models struct {
	log    *zap.Logger
	folder *Folder       // nil keeps it in memory alone
	path   string        // in it
	wake   chan struct{} // has a value when there is something to write

	mu       sync.Mutex
	known    map[string]Model
	changes  uint64        // so far
	tried    uint64        // how many of them are on disk, or could not be written
	news     chan struct{} // closed when tried grows
	failures uint64        // of writes
}

// newModels reads what a predecessor has written. A file that is damaged is put aside: it costs what is in it, not the models.
func newModels(folder *Folder, log *zap.Logger) (*Models, error) {
	m := &Models{log: log, wake: make(chan struct{}, 1), news: make(chan struct{}), known: map[string]Model{}}
	if folder == nil {
		return m, nil
	}
	m.folder, m.path = folder, folder.Path(modelsName)
	if err := m.read(); err != nil {
		return nil, fmt.Errorf("read what is known of the models: %w", err)
	}
	// Killed while it wrote, a predecessor leaves the file that was to replace this one.
	rest, err := filepath.Glob(folder.Path("." + modelsName + "-*"))
	for _, path := range rest {
		err = errors.Join(err, os.Remove(path))
	}
	return m, err
}

// Get returns what is remembered of a model.
func (m *Models) Get(id string) Model {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.known[id]
	known.Starts, known.Restarts, known.Failures = maps.Clone(known.Starts), maps.Clone(known.Restarts), maps.Clone(known.Failures)
	return known
}

// Wanted notes what people want of a model.
func (m *Models) Wanted(id, desired string) {
	m.change(id, func(known *Model) bool {
		before := known.Desired
		known.Desired = desired
		return before != desired
	})
}

// Started notes how often the server of an instance was started, and how often that was a restart.
func (m *Models) Started(id, instance string, starts, restarts int) {
	m.change(id, func(known *Model) bool {
		one, other := count(&known.Starts, instance, starts), count(&known.Restarts, instance, restarts)
		return one || other
	})
}

// count notes a number that is not 0, and tells whether that is news.
func count(of *map[string]int, instance string, n int) bool {
	if (*of)[instance] == n {
		return false
	}
	if *of == nil {
		*of = map[string]int{}
	}
	(*of)[instance] = n
	return true
}

// Failed notes the failures of an instance's server; the zero value that there is nothing to remember.
func (m *Models) Failed(id, instance string, f Failures) {
	m.change(id, func(known *Model) bool {
		before := known.Failures[instance]
		if known.Failures == nil {
			known.Failures = map[string]Failures{}
		}
		known.Failures[instance] = f
		if len(f.Times) == 0 {
			delete(known.Failures, instance)
		}
		return !before.same(f)
	})
}

func (f Failures) same(other Failures) bool {
	return slices.EqualFunc(f.Times, other.Times, time.Time.Equal) && f.Reason == other.Reason && f.Message == other.Message && f.Of == other.Of
}

// Keep forgets all other models: they were taken out while nobody was there to see it.
func (m *Models) Keep(ids []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.known)
	maps.DeleteFunc(m.known, func(id string, _ Model) bool { return !slices.Contains(ids, id) })
	if len(m.known) < before {
		m.changed()
	}
}

// Forget drops a model that is not there any more.
func (m *Models) Forget(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.known[id]; there {
		delete(m.known, id)
		m.changed()
	}
}

func (m *Models) change(id string, by func(*Model) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.known[id]
	if by(&known) {
		m.known[id] = known
		m.changed()
	}
}

// rewrite has all of it written once more.
func (m *Models) rewrite() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changed()
}

func (m *Models) changed() {
	m.changes++
	select {
	case m.wake <- struct{}{}:
	default: // it is to be written already
	}
}

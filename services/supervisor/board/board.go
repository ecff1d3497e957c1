package board

import (
	"cmp"
	"crypto/rand"
	"slices"
	"sync"
)

// Board knows the models, which come and go with the models file, and what every unit last said of itself.
type Board struct {
	Epoch string // of this supervisor alone: revisions of another one are no later or earlier

	mu       sync.Mutex
	models   []*Model // ordered by id
	revision uint64
	silent   int           // units that have not said anything yet
	news     chan struct{} // closed with the next change
	waking   bool          // wakeLater is at work
}

// New is an empty board.
func New() *Board { return &Board{Epoch: rand.Text(), news: make(chan struct{})} }

// Begin takes in the models of the first plan. There is no snapshot before each of their units has said something.
func (b *Board) Begin(models []*Model) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.models = models
	for _, m := range models {
		for _, i := range m.Servers {
			i.greet()
			i.silent = true
			b.silent++
		}
	}
}

// List returns the models as they are now, ordered by id.
func (b *Board) List() []*Model {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.models)
}

// Find returns the model with the id, or nil.
func (b *Board) Find(id string) *Model {
	b.mu.Lock()
	defer b.mu.Unlock()
	if at, found := b.place(id); found {
		return b.models[at]
	}
	return nil
}

// place tells where the model with the id is or would be. The board is locked.
func (b *Board) place(id string) (at int, found bool) {
	return slices.BinarySearchFunc(b.models, id, func(m *Model, id string) int { return cmp.Compare(m.ID, id) })
}

// Servers returns the instances of a model as they are now.
func (b *Board) Servers(m *Model) []*Instance {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(m.Servers)
}

// Read calls f with everything on the board at rest.
func (b *Board) Read(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

// Each calls f with each model, ordered by id, with everything on the board at rest. It returns the revision that this was.
func (b *Board) Each(f func(*Model)) (revision uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.models {
		f(m)
	}
	return b.revision
}

// Put takes in a model whose id is new.
func (b *Board) Put(m *Model) {
	b.Change(func() {
		for _, i := range m.Servers {
			i.greet()
		}
		at, _ := b.place(m.ID)
		b.models = slices.Insert(b.models, at, m)
	})
}

// Drop takes a model out.
func (b *Board) Drop(m *Model) {
	b.Change(func() { b.models = slices.DeleteFunc(b.models, func(other *Model) bool { return other == m }) })
}

// Add gives a model one more instance.
func (b *Board) Add(m *Model, i *Instance) {
	b.Change(func() {
		i.greet()
		m.Servers = append(slices.Clip(m.Servers), i)
	})
}

// Remove takes an instance out of a model.
func (b *Board) Remove(m *Model, i *Instance) {
	b.Change(func() {
		m.Servers = slices.DeleteFunc(slices.Clone(m.Servers), func(other *Instance) bool { return other == i })
	})
}

// Renew makes an instance what its file says by now, and tells whether it was something else.
func (b *Board) Renew(i *Instance) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i.Next == nil {
		return false
	}
	i.Instance, i.Next, i.Outdated = *i.Next, nil, ""
	return true
}

// Change calls f with the board locked, and tells watchers that there is something to see.
func (b *Board) Change(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	b.revision++
	b.wake()
}

// Wake wakes watchers of what is no part of a snapshot.
func (b *Board) Wake() { b.Read(b.wake) }

// wake tells everybody who watches. The board is locked.
func (b *Board) wake() {
	close(b.news)
	b.news = make(chan struct{})
}

// Changed returns a channel that is closed with the next change.
func (b *Board) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.news
}

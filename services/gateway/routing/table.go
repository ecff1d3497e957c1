package routing

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// Table is one snapshot, indexed. It never changes.
type Table struct {
	Epoch    string
	Revision uint64
	Models   []*Model // in the snapshot's order, by id

	byName map[string]*Model
}

// Model is one declared model.
type Model struct {
	fleet.Model
	backends []*backend
	plan     plan
}

// Routable tells whether any backend of the model takes requests.
func (m *Model) Routable() bool {
	return slices.ContainsFunc(m.backends, func(b *backend) bool { return b.Routable })
}

// NeedsLoad tells whether the model's policy goes by what its servers tell of their load.
func (m *Model) NeedsLoad() bool {
	return len(m.backends) > 1 && m.Routing.Policy != fleet.RoundRobin && m.Routing.Policy != fleet.Weighted
}

// NeedsPrefix tells whether the model's policy goes by how prompts begin.
func (m *Model) NeedsPrefix() bool {
	return len(m.backends) > 1 && m.Routing.Policy == fleet.PrefixAffinity
}

// backend is a fleet.Backend with its parsed URL and what is known of it beyond this snapshot.
type backend struct {
	fleet.Backend
	key   uint64 // hash of the id
	url   *url.URL
	state *state
}

// newTable indexes s. The error names backends with a bad URL; they are in the table and never picked.
func newTable(s fleet.Snapshot, stateOf func(id string) *state) (*Table, error) {
	t := &Table{Epoch: s.Epoch, Revision: s.Revision, byName: make(map[string]*Model)}
	var faults []error
	for _, declared := range s.Models {
		m := &Model{Model: declared}
		for _, b := range declared.Backends {
			base, err := url.Parse(b.URL)
			if err != nil || base.Host == "" {
				faults = append(faults, fmt.Errorf("backend %s of model %s: bad URL %q", b.ID, declared.ID, b.URL))
				b.Routable = false
			}
			m.backends = append(m.backends, &backend{Backend: b, key: xxhash.Sum64String(b.ID), url: base, state: stateOf(b.ID)})
		}
		t.Models = append(t.Models, m)
	}
	t.index()
	for _, m := range t.Models {
		t.makePlan(m)
	}
	return t, errors.Join(faults...)
}

// index fills byName. An id beats an alias, an alias a served name; a served name counts only when one model has it.
func (t *Table) index() {
	for _, m := range t.Models {
		t.byName[m.ID] = m
	}
	for _, m := range t.Models {
		for _, alias := range m.Aliases {
			t.claim(alias, m)
		}
	}
	serving := make(map[string]int)
	for _, m := range t.Models {
		serving[m.ServedName]++
	}
	for _, m := range t.Models {
		if serving[m.ServedName] == 1 {
			t.claim(m.ServedName, m)
		}
	}
}

func (t *Table) claim(name string, m *Model) {
	if _, taken := t.byName[name]; !taken && name != "" {
		t.byName[name] = m
	}
}

// Resolve finds a model by id, alias or served name.
func (t *Table) Resolve(name string) (*Model, bool) {
	m, ok := t.byName[name]
	return m, ok
}

// ResolvePath splits a path such as "org/name/v1/chat/completions" into the model and the rest, without a slash between.
// Names may contain slashes, so the longest known name wins.
func (t *Table) ResolvePath(path string) (m *Model, rest string, ok bool) {
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '/') {
		if m, ok := t.byName[path[:end]]; ok {
			return m, strings.TrimPrefix(path[end:], "/"), true
		}
	}
	return nil, "", false
}

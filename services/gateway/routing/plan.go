package routing

import (
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/fluidmcp/fluidmcp/internal/splitmix"
)

// plan is what may answer for a model, made once per table.
type plan struct {
	key      uint64 // hash of the model's id, so that sessions fall into different parts of different models' traffic
	usual    []*Model
	canaries []canary
}

// canary is a part of the traffic, in percent from the end of the one before.
type canary struct {
	below  float64
	models []*Model
}

// Plan returns the models that may answer a request for m, in the order in which to ask them: m or, for a part of the
// traffic, a canary and then m; then the fallbacks of m. The requests of one session, when it is not "", have the same
// plan, others are drawn by random. No model is named twice, and fallbacks of fallbacks are not followed. The list is not
// to be changed.
func (m *Model) Plan(session string, random uint64) []*Model {
	if len(m.plan.canaries) == 0 {
		return m.plan.usual
	}
	if session != "" {
		random = splitmix.Mix(xxhash.Sum64String(session) ^ m.plan.key)
	}
	percent := float64(random>>11) / (1 << 53) * 100
	for _, c := range m.plan.canaries {
		if percent < c.below {
			return c.models
		}
	}
	return m.plan.usual
}

// makePlan fills in m.plan. Models that do not exist are left out. The part of a canary that has no server stays with m.
func (t *Table) makePlan(m *Model) {
	m.plan.key = xxhash.Sum64String(m.ID)
	models := []*Model{m}
	for _, id := range m.Routing.Fallbacks {
		if other := t.byID(id); other != nil && !slices.Contains(models, other) {
			models = append(models, other)
		}
	}
	m.plan.usual = models
	below := 0.0
	for _, share := range m.Routing.Canary {
		below += share.Percent
		other := t.byID(share.Model)
		if other == nil || !other.Routable() {
			other = m
		}
		rest := slices.DeleteFunc(slices.Clone(models), func(one *Model) bool { return one == other })
		m.plan.canaries = append(m.plan.canaries, canary{below, append([]*Model{other}, rest...)})
	}
}

func (t *Table) byID(id string) *Model {
	if m := t.byName[id]; m != nil && m.ID == id {
		return m
	}
	return nil
}

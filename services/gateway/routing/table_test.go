package routing_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

func TestResolve(t *testing.T) {
	table := apply(t,
		fleet.Model{ID: "a", Aliases: []string{"one", "b"}, ServedName: "same"},
		fleet.Model{ID: "b", ServedName: "same"},
		fleet.Model{ID: "org/c", Aliases: []string{"one"}, ServedName: "big/c"},
		fleet.Model{ID: "org", ServedName: "a"},
	).Table()
	f := func(name, want string) {
		t.Helper()
		got := ""
		if m, ok := table.Resolve(name); ok {
			got = m.ID
		}
		if got != want {
			t.Errorf("Resolve(%q) = %q, want %q", name, got, want)
		}
	}
	f("a", "a")
	f("b", "b")   // an id beats an alias
	f("one", "a") // the first to claim an alias has it
	f("same", "") // two models serve under this name
	f("big/c", "org/c")
	f("", "")
	f("none", "")

	path := func(path, want, wantRest string) {
		t.Helper()
		got := ""
		m, rest, ok := table.ResolvePath(path)
		if ok {
			got = m.ID
		}
		if got != want || rest != wantRest {
			t.Errorf("ResolvePath(%q) = %q, %q; want %q, %q", path, got, rest, want, wantRest)
		}
	}
	path("a/v1/chat/completions", "a", "v1/chat/completions")
	path("org/c/v1/models", "org/c", "v1/models")
	path("org/completions", "org", "completions")
	path("big/c/x", "org/c", "x")
	path("a", "a", "")
	path("a/", "a", "")
	path("none/a/x", "", "")
	path("", "", "")
	path("/a/x", "", "")
}

func ids(models []*routing.Model) []string {
	var list []string
	for _, m := range models {
		list = append(list, m.ID)
	}
	return list
}

func TestPlan(t *testing.T) {
	ready := func(id string, r fleet.Routing) fleet.Model {
		return fleet.Model{ID: id, Routing: r, Backends: []fleet.Backend{{ID: id + "-0", URL: "http://" + id, Routable: true}}}
	}
	share := func(model string, percent float64) fleet.Share { return fleet.Share{Model: model, Percent: percent} }
	table := apply(t,
		ready("plain", fleet.Routing{}),
		ready("main", fleet.Routing{Canary: []fleet.Share{share("new", 10), share("newer", 5)}, Fallbacks: []string{"plain", "new"}}),
		ready("new", fleet.Routing{Canary: []fleet.Share{share("main", 100)}, Fallbacks: []string{"main"}}),
		ready("newer", fleet.Routing{}),
		ready("circle", fleet.Routing{Fallbacks: []string{"circle", "none", "plain", "alias", "plain"}}),
		fleet.Model{ID: "empty", Aliases: []string{"alias"}},
		ready("hopeful", fleet.Routing{Canary: []fleet.Share{share("empty", 50), share("none", 50)}}),
	).Table()
	f := func(model string, percent float64, want ...string) {
		t.Helper()
		m, _ := table.Resolve(model)
		if got := ids(m.Plan("", uint64(percent/100*math.MaxUint64))); !slices.Equal(got, want) {
			t.Errorf("%s at %v %%: %v, want %v", model, percent, got, want)
		}
	}
	f("plain", 0, "plain")
	f("main", 0, "new", "main", "plain")
	f("main", 9.9, "new", "main", "plain")
	f("main", 10.1, "newer", "main", "plain", "new")
	f("main", 15.1, "main", "plain", "new")
	f("main", 99.9, "main", "plain", "new")
	f("new", 50, "main", "new")
	f("circle", 50, "circle", "plain")
	f("hopeful", 1, "hopeful")
	f("hopeful", 99, "hopeful")
}

// TestPlanOfASession: one session stays with what it got, and sessions are divided in proportion, differently for each model.
func TestPlanOfASession(t *testing.T) {
	routing := fleet.Routing{Canary: []fleet.Share{{Model: "new", Percent: 20}}}
	table := apply(t, fleet.Model{ID: "a", Routing: routing}, fleet.Model{ID: "b", Routing: routing},
		fleet.Model{ID: "new", Backends: backends(1, true)}).Table()
	a, _ := table.Resolve("a")
	b, _ := table.Resolve("b")
	const sessions = 5000
	var canary, differ int
	for i := range uint64(sessions) {
		name := fmt.Sprint("session-", i)
		first := a.Plan(name, i)[0].ID
		if again := a.Plan(name, ^i)[0].ID; again != first {
			t.Fatalf("%s went to %s and then to %s", name, first, again)
		}
		if first == "new" {
			canary++
		}
		if (first == "new") != (b.Plan(name, i)[0].ID == "new") {
			differ++
		}
	}
	if part := float64(canary) / sessions; part < 0.18 || part > 0.22 {
		t.Errorf("a part of %v went to the canary of 20 %%", part)
	}
	if differ < sessions/10 {
		t.Errorf("the same sessions try everything new: only %d differ", differ)
	}
}

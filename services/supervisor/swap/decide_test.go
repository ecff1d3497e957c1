package swap

import (
	"strings"
	"testing"
	"time"
)

// TestDecide is inside of the package because the rule is not for others: they see what follows from it.
func TestDecide(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ago := func(seconds int) time.Time { return now.Add(-time.Duration(seconds) * time.Second) }
	waits := func(model string, seconds int) member {
		return member{model: model, stage: waiting, since: ago(seconds)}
	}
	is := func(model string, s stage) member { return member{model: model, stage: s, since: ago(1)} }
	// idle and busy have been ready for so long, and were used that long ago.
	idle := func(model string, seconds, used int) member {
		return member{model: model, stage: ready, since: ago(seconds), used: ago(used)}
	}
	busy := func(model string, seconds int) member {
		return member{model: model, stage: ready, since: ago(seconds), used: now, busy: true}
	}
	needed := func(m member) member {
		m.needed = true
		return m
	}
	took := func(m member, seconds int) member {
		m.took = time.Duration(seconds) * time.Second
		return m
	}
	one, two := Limits{Loaded: 1}, Limits{Loaded: 2}
	for _, c := range []struct {
		name         string
		limits       Limits
		members      []member
		admit, evict string
	}{
		{"nobody", one, nil, "", ""},
		{"a free place", one, []member{waits("a", 0)}, "a", ""},
		{"first come", one, []member{waits("a", 1), waits("b", 2)}, "b", ""},
		{"at the same time", one, []member{waits("b", 1), waits("a", 1)}, "a", ""},
		{"places for all", two, []member{waits("b", 1), waits("a", 2)}, "a b", ""},
		{"nobody waits", one, []member{idle("a", 1000, 1000)}, "", ""},
		{"an idle one makes room", one, []member{idle("a", 11, 11), waits("b", 0)}, "", "a"},
		{"not within its residency", one, []member{idle("a", 9, 9), waits("b", 100)}, "", ""},
		{"as long as its start took", one, []member{took(idle("a", 99, 99), 100), waits("b", 0)}, "", ""},
		{"no longer than its start took", one, []member{took(idle("a", 100, 100), 100), waits("b", 0)}, "", "a"},
		{"a residency that was set", Limits{1, time.Minute}, []member{took(idle("a", 59, 59), 5), waits("b", 0)}, "", ""},
		{"a shorter one that was set", Limits{1, time.Second}, []member{took(idle("a", 1, 1), 500), waits("b", 0)}, "", "a"},
		{"the one used longest ago", two, []member{idle("a", 50, 20), idle("b", 20, 19), idle("c", 5, 5), waits("d", 0)}, "", "a"},
		{"not one on which another depends", two, []member{needed(idle("a", 50, 20)), idle("b", 20, 19), waits("d", 0)}, "", "b"},
		{"an idle one before one at work", two, []member{busy("a", 900), idle("b", 20, 1), waits("c", 0)}, "", "b"},
		{"one at work when there is no other", two, []member{busy("a", 900), busy("b", 901), waits("c", 0)}, "", "b"},
		{"one makes room already", one, []member{is("a", leaving), waits("b", 1)}, "", ""},
		{"which is not enough for two", two, []member{is("a", leaving), idle("b", 20, 20), waits("c", 2), waits("d", 1)}, "", "b"},
		{"one that loads is left alone", one, []member{is("a", loading), waits("b", 1000)}, "", ""},
		{"more than there are places for", one, []member{idle("a", 20, 20), idle("b", 20, 10), is("c", leaving), waits("d", 0)}, "", "a"},
		{"a place and one to be made", two, []member{idle("a", 20, 20), waits("b", 2), waits("c", 1)}, "b", "a"},
	} {
		admit, evict := decide(c.limits, c.members, now)
		if a, e := strings.Join(admit, " "), strings.Join(evict, " "); a != c.admit || e != c.evict {
			t.Errorf("%s: admits %q and evicts %q, want %q and %q", c.name, a, e, c.admit, c.evict)
		}
	}
}

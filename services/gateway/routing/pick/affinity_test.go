package pick_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/splitmix"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing/pick"
)

const keys = 20_000

// favourites are the candidates' indexes by key.
func favourites(list []pick.Candidate) []int {
	var all []int
	for key := range uint64(keys) {
		all = append(all, list[pick.Rendezvous(list, splitmix.Mix(key+1e6))].Index)
	}
	return all
}

func TestRendezvousProportions(t *testing.T) {
	counts := make([]float64, 3)
	for _, i := range favourites(warm(1, 2, 5)) {
		counts[i]++
	}
	for i, part := range []float64{1. / 8, 2. / 8, 5. / 8} {
		if math.Abs(counts[i]/keys-part) > 0.02 {
			t.Errorf("candidate %d is the favourite of %v of %d keys, want a part of %v", i, counts[i], keys, part)
		}
	}
}

func TestRendezvousMovesOnlyWhatItMust(t *testing.T) {
	list := warm(1, 2, 1, 1, 3)
	before := favourites(list)
	moved := 0
	for key, now := range favourites(slices.Delete(slices.Clone(list), 2, 3)) {
		if before[key] != 2 && now != before[key] {
			t.Fatalf("key %d moved from %d to %d, 2 left", key, before[key], now)
		}
		if before[key] == 2 {
			moved++
		}
	}
	if moved == 0 {
		t.Error("nobody's favourite left")
	}
	reversed := slices.Clone(list)
	slices.Reverse(reversed)
	if !slices.Equal(favourites(reversed), before) {
		t.Error("the order of the candidates matters")
	}
	list[4].Warmth = 0.3 // a cold one takes part of its keys, and all of them are its own
	for key, now := range favourites(list) {
		if now != before[key] && before[key] != 4 {
			t.Fatalf("key %d moved from %d to %d, only 4 changed", key, before[key], now)
		}
	}
}

func TestSessionBeatsThePolicy(t *testing.T) {
	for _, policy := range fleet.Policies {
		list := warm(1, 1, 1)
		home := pick.Choose(policy, list, pick.Request{Session: 77})
		list[home].Load, list[home].KVUse = 1000, 1
		for random := range uint64(20) {
			if at := pick.Choose(policy, list, pick.Request{Session: 77, Prefix: random, Random: splitmix.Mix(random)}); at != home {
				t.Errorf("%s: the session went to %d and then to %d", policy, home, at)
			}
		}
	}
}

func TestAffinity(t *testing.T) {
	list := warm(1, 1, 1, 1)
	at := pick.Choose(fleet.PrefixAffinity, list, pick.Request{Prefix: 5})
	for range 4 { // fits into the batch, however idle the others are
		if now := pick.Choose(fleet.PrefixAffinity, list, pick.Request{Prefix: 5}); now != at {
			t.Fatalf("with load %v the favourite changed from %d to %d", list[at].Load, at, now)
		}
		list[at].Load++
	}
	over := pick.Choose(fleet.PrefixAffinity, list, pick.Request{Prefix: 5})
	if over == at {
		t.Error("an overloaded favourite got one more")
	}
	if again := pick.Choose(fleet.PrefixAffinity, list, pick.Request{Prefix: 5}); again != over {
		t.Errorf("what overflows went to %d, then to %d, among equals", over, again)
	}
	for i := range list { // as many as it has itself: the mean grows, and it fits again
		list[i].Load = 40
	}
	if now := pick.Choose(fleet.PrefixAffinity, list, pick.Request{Prefix: 5}); now != at {
		t.Errorf("equally loaded, key 5 went to %d and not to its favourite, %d", now, at)
	}
	// Without a prompt the load decides.
	list[2].Load = 0
	for random := range uint64(50) {
		if now := pick.Choose(fleet.PrefixAffinity, list[1:3], pick.Request{Random: splitmix.Mix(random)}); now != 1 {
			t.Fatalf("went to the busy one, %d", now)
		}
	}
}

// TestOverflowFindsItsCache: among equals it is the key that decides where a request goes that its favourite cannot take.
func TestOverflowFindsItsCache(t *testing.T) {
	went := make(map[int]bool)
	for key := range uint64(40) {
		list := warm(1, 1, 1, 1)
		list[pick.Rendezvous(list, key+1)].Load = 50
		went[pick.Affinity(list, key+1)] = true
	}
	if len(went) != 4 {
		t.Errorf("all that overflows went to %v", went)
	}
}

// FuzzBoundedLoad: requests come, a few keys being hot, and go; no backend ever gets one that takes it over its bound.
func FuzzBoundedLoad(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint8(1))
	f.Add(uint64(2), uint8(16), uint8(7))
	f.Add(uint64(3), uint8(2), uint8(200))
	f.Fuzz(func(t *testing.T, seed uint64, n, hot uint8) {
		list := warm(slices.Repeat([]float64{1}, int(n%32)+1)...)
		chance := rand.New(rand.NewPCG(seed, 0))
		total := 0.0
		for range 500 {
			if total > 0 && chance.IntN(3) == 0 {
				at := chance.IntN(len(list))
				if list[at].Load > 0 {
					list[at].Load--
					total--
				}
				continue
			}
			at := pick.Affinity(list, 1+chance.Uint64N(uint64(hot)+1))
			list[at].Load++
			total++
			if bound := max(4, math.Ceil(1.25*total/float64(len(list)))); list[at].Load > bound {
				t.Fatalf("%v requests of %v at one of %d backends, its bound is %v", list[at].Load, total, len(list), bound)
			}
		}
	})
}

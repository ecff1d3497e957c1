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

// warm makes idle candidates of these weights.
func warm(weights ...float64) []pick.Candidate {
	var list []pick.Candidate
	for i, w := range weights {
		list = append(list, pick.Candidate{Index: i, Key: splitmix.Mix(uint64(i) + 1), Weight: w, Warmth: 1})
	}
	return list
}

// decode makes a candidate of each byte: three bits of load, the rest flags and shares.
func decode(bytes []byte) []pick.Candidate {
	list := warm(slices.Repeat([]float64{1}, len(bytes))...)
	for i, b := range bytes {
		c := &list[i]
		c.Load = float64(b & 7)
		c.Down, c.Ejected, c.Tried = b&8 != 0, b&16 != 0, b&32 != 0
		if b&64 != 0 {
			c.Weight = 3
		}
		if b&128 != 0 {
			c.Warmth, c.KVUse = 0.25, 0.5
		}
	}
	return list
}

func TestUsable(t *testing.T) {
	const sound, down, ejected, tried = 0, 8, 16, 32
	f := func(name string, candidates []byte, want ...int) {
		t.Helper()
		var got []int
		for _, c := range pick.Usable(decode(candidates)) {
			got = append(got, c.Index)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	f("none", nil)
	f("all sound", []byte{sound, sound}, 0, 1)
	f("half ejected", []byte{ejected, sound}, 1)
	f("over half ejected", []byte{ejected, ejected, sound}, 0, 1, 2)
	f("all ejected", []byte{ejected}, 0)
	f("one down", []byte{down, sound, sound}, 1, 2)
	f("over half down", []byte{down, down, sound}, 2)
	f("over half out, of which some are down", []byte{down, ejected, sound}, 1, 2)
	f("the sound one was tried", []byte{ejected, sound | tried, sound | tried}, 0)
	f("a down one is the last resort", []byte{down, sound | tried}, 0)
	f("all down", []byte{down, down}, 0, 1)
	f("all tried", []byte{tried, tried | down})
}

// FuzzChoose: whatever the backends are, what is chosen is one of the best kind there is, was not tried, and is not the
// busiest where load counts.
func FuzzChoose(f *testing.F) {
	f.Add([]byte{0, 1, 2}, uint64(0), uint64(0))
	f.Add([]byte{8, 16, 32, 7}, uint64(1)<<63, uint64(9))
	f.Add([]byte{0x40, 0x85, 0x06, 0x06}, uint64(math.MaxUint64), uint64(math.MaxUint64))
	f.Add([]byte{24, 56, 48}, uint64(5), uint64(1))
	f.Fuzz(func(t *testing.T, bytes []byte, random, key uint64) {
		if len(bytes) > 100 {
			return
		}
		best, fine := 3, 0 // 0 sound, 1 ejected, 2 down, 3 tried
		kind := func(c pick.Candidate) int {
			switch {
			case c.Tried:
				return 3
			case c.Down:
				return 2
			case c.Ejected && 2*fine >= len(bytes):
				return 1
			}
			return 0
		}
		for _, c := range decode(bytes) {
			if !c.Down && !c.Ejected {
				fine++
			}
		}
		for _, c := range decode(bytes) {
			best = min(best, kind(c))
		}
		for _, policy := range append(fleet.Policies, "", "unheard of") {
			for _, session := range []uint64{0, key} {
				usable := pick.Usable(decode(bytes))
				at := pick.Choose(policy, usable, pick.Request{Prefix: key, Session: session, Random: random})
				if best == 3 {
					if at != -1 {
						t.Fatalf("%s picked %d of none", policy, at)
					}
					continue
				}
				if picked := usable[at]; kind(picked) != best {
					t.Fatalf("%s picked %+v, there is a better one in %v", policy, picked, bytes)
				}
				if session == 0 && (policy == fleet.LeastLoad || policy == "") {
					refuseWorst(t, usable, at)
				}
			}
		}
	})
}

func refuseWorst(t *testing.T, usable []pick.Candidate, at int) {
	t.Helper()
	cost := func(c pick.Candidate) float64 { return (c.Load + 1) * (1 + c.KVUse) / (c.Weight * c.Warmth) }
	for i, other := range usable {
		if i != at && cost(other) >= cost(usable[at]) {
			return
		}
	}
	if len(usable) > 1 {
		t.Fatalf("picked the worst, %+v, of %+v", usable[at], usable)
	}
}

func TestLeastLoad(t *testing.T) {
	const half = 1 << 31 // of each of the two draws
	f := func(name string, want int, change func(first, second *pick.Candidate)) {
		t.Helper()
		two := warm(1, 1)
		two[0].Load, two[1].Load = 3, 3
		change(&two[0], &two[1])
		for _, random := range []uint64{0, math.MaxUint64, half << 32, half} {
			if got := pick.LeastLoad(two, random); got != want {
				t.Errorf("%s: picked %d, want %d", name, got, want)
			}
		}
	}
	f("fewer requests", 1, func(a, _ *pick.Candidate) { a.Load = 4 })
	f("more free cache", 1, func(a, b *pick.Candidate) { a.KVUse, b.KVUse = 0.9, 0.2 })
	f("a bigger server", 0, func(a, _ *pick.Candidate) { a.Weight, a.Load = 2, 5 })
	f("a cold server", 1, func(a, _ *pick.Candidate) { a.Warmth, a.Load = 0.1, 0 })

	drawn := make([]int, 5)
	for range 5000 {
		drawn[pick.LeastLoad(warm(1, 1, 1, 1, 1), rand.Uint64())]++
	}
	if slices.Min(drawn) < 800 {
		t.Errorf("of equals one was picked too seldom: %v", drawn)
	}
}

// TestSmooth: everyone is picked in exact proportion, and never late.
func TestSmooth(t *testing.T) {
	f := func(policy fleet.Policy, weights []float64, want ...int) {
		t.Helper()
		list := warm(weights...)
		var got []int
		for range want {
			got = append(got, pick.Choose(policy, list, pick.Request{}))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s %v: %v, want %v", policy, weights, got, want)
		}
	}
	f(fleet.RoundRobin, []float64{1, 1, 1}, 0, 1, 2, 0, 1, 2)
	f(fleet.RoundRobin, []float64{9, 1}, 0, 1, 0, 1)
	f(fleet.Weighted, []float64{5, 1, 1}, 0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0)
	f(fleet.Weighted, []float64{1, 3}, 1, 0, 1, 1, 1, 0, 1, 1)
}

// FuzzWeighted: after any number of rounds the picks are in proportion to the weights, also when some backend was away.
func FuzzWeighted(f *testing.F) {
	f.Add([]byte{5, 1, 1}, uint8(3), uint8(0))
	f.Add([]byte{1, 1, 1, 1}, uint8(0), uint8(2))
	f.Add([]byte{200, 3}, uint8(250), uint8(1))
	f.Fuzz(func(t *testing.T, weights []byte, before, away uint8) {
		if len(weights) < 2 || len(weights) > 20 {
			return
		}
		var list []pick.Candidate
		total := 0
		for _, w := range weights {
			list = append(list, warm(float64(w)+1)...)
			total += int(w) + 1
		}
		picked := make([]int, len(list))
		next := func(usable []pick.Candidate) int { return pick.Choose(fleet.Weighted, usable, pick.Request{}) }
		gone := int(away) % len(list)
		for range before {
			next(slices.Concat(list[:gone], list[gone+1:])) // credits of a copy, as those of a retry
		}
		for range before {
			next(list[:max(gone, 1)])
		}
		for range total {
			picked[next(list)]++
		}
		for i, c := range list {
			if off := float64(picked[i]) - c.Weight; math.Abs(off) > 2*float64(len(list)) {
				t.Fatalf("weights %v picked %v after an absence", weights, picked)
			}
		}
	})
}

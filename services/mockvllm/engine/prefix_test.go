package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// prompt is n tokens that begin alike for the same first one.
func prompt(first, n int) []int {
	ids := make([]int, n)
	for i := range ids {
		ids[i] = first + i
	}
	return ids
}

func TestPrefixCache(t *testing.T) {
	c := newPrefixCache(4)
	f := func(salt string, ids []int, want int) {
		t.Helper()
		if got := c.admit(Prefix(salt, ids), len(ids)); got != want {
			t.Errorf("%d of %d tokens were cached, want %d", got, len(ids), want)
		}
	}
	f("", prompt(0, 127), 0) // no whole block
	f("", prompt(0, 127), 0)
	f("", prompt(0, 300), 0)
	f("", prompt(0, 300), 256)
	f("", prompt(0, 200), 128) // shares the first block
	f("", prompt(0, 128), 0)   // the last token is computed
	f("", prompt(0, 129), 128)
	f("", prompt(1, 300), 0) // other tokens
	f("a", prompt(0, 129), 0)
	f("a", prompt(0, 129), 128)
	f("", prompt(0, 300), 128) // the room is four blocks, and ends are dropped first
	f("", append(prompt(0, 128), prompt(7, 200)...), 128)
}

func TestPrefixHitsAreTold(t *testing.T) {
	run(t, 1, func(e *Engine, n *notes) {
		wake := make(chan struct{}, 1)
		ids := prompt(0, 200)
		for range 2 {
			seqs, err := e.Submit(Request{Prompt: len(ids), Prefix: Prefix("", ids), Tokens: 1, Wake: wake})
			if err != nil {
				t.Fatal(err)
			}
			<-wake
			expect(t, seqs, -1)
		}
		if diff := cmp.Diff([]int{0, 128}, n.cached); diff != "" {
			t.Errorf("cached tokens (-want +got):\n%s", diff)
		}
	})
}

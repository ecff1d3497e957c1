package kv

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ids is n tokens that begin alike for the same first one.
func ids(first, n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = first + i
	}
	return all
}

// blocks are hashes of blocks of one token.
func blocks(tokens []int) []Hash {
	c := NewChain(1, "", "", tokens)
	return c.Blocks()
}

func TestChain(t *testing.T) {
	f := func(a, b Chain, shared int) {
		t.Helper()
		got := 0
		for got < min(len(a.Blocks()), len(b.Blocks())) && a.Blocks()[got] == b.Blocks()[got] {
			got++
		}
		if got != shared {
			t.Errorf("%d blocks are the same, want %d", got, shared)
		}
	}
	prompt := ids(0, 14)
	base := NewChain(4, "", "", prompt)
	clear(prompt) // it need not be kept
	f(base, base, 3)
	f(base, NewChain(4, "", "", ids(0, 8)), 2)
	f(base, NewChain(4, "", "", ids(0, 7)), 1)
	f(base, NewChain(4, "", "", append(ids(0, 4), ids(9, 10)...)), 1)
	f(base, NewChain(4, "", "", append(ids(9, 4), ids(4, 10)...)), 0) // what comes before counts
	f(base, NewChain(4, "", "salt", ids(0, 14)), 0)
	f(base, NewChain(4, "lora", "", ids(0, 14)), 0)
	f(NewChain(4, "ab", "c", ids(0, 14)), NewChain(4, "a", "bc", ids(0, 14)), 0)
	f(Chain{}, base, 0)

	// The blocks of an answer are those of a longer prompt, and copies go their own ways.
	one, two := base, base
	one.Extend(5, func(i int) int { return 14 + i })
	two.Extend(5, func(i int) int { return 90 + i })
	f(one, NewChain(4, "", "", ids(0, 40)), 5)
	f(one, two, 3)
	one.Extend(8, func(i int) int { return 14 + i })
	f(one, NewChain(4, "", "", ids(0, 40)), 8)
	base.Extend(9, nil)
	f(base, one, 3)
	base = Chain{}
	base.Extend(9, func(int) int { return 0 })
	f(base, one, 0)
}

func TestBlocksAreReusedFromTheOldest(t *testing.T) {
	p := NewPool(6, true) // five blocks
	chain := blocks(ids(0, 3))
	a := p.Alloc(nil, 3)
	for i, h := range chain {
		p.Remember(a[i], h)
	}
	b := p.Alloc(nil, 1)
	p.Release(a)
	p.Release(b)
	f := func(wantHits, wantFree int) {
		t.Helper()
		hits, free := p.Match(chain)
		if diff := cmp.Diff([]int{wantHits, wantFree}, []int{hits, free}); diff != "" {
			t.Errorf("hits and free ones among them:\n%s", diff)
		}
	}
	f(3, 3)
	c := p.Alloc(nil, 2) // the one without content, and the one that was never used
	if diff := cmp.Diff([]int32{4, 5}, c); diff != "" {
		t.Errorf("blocks given out:\n%s", diff)
	}
	f(3, 3)
	d := p.Alloc(nil, 1) // the end of the sequence is forgotten first
	f(2, 2)
	taken := p.Take(nil, chain[:2])
	f(2, 0)
	if p.Free() != 0 || p.Usage() != 1 {
		t.Errorf("%d blocks are free, usage %g", p.Free(), p.Usage())
	}
	if p.Reset() {
		t.Error("a cache with blocks in use was reset")
	}
	for _, table := range [][]int32{c, d, taken} {
		p.Release(table)
	}
	f(2, 2)
	if !p.Reset() || p.Used() != 0 {
		t.Error("not reset")
	}
	f(0, 0)
}

func TestBlocksWithTheSameContent(t *testing.T) {
	p := NewPool(4, true)
	chain := blocks(ids(0, 1))
	a := p.Alloc(nil, 3)
	for _, id := range a {
		p.Remember(id, chain[0])
	}
	p.Release(a)
	for left := 3; left > 0; left-- {
		if hits, _ := p.Match(chain); hits != 1 {
			t.Errorf("%d blocks have the content, and %d are found", left, hits)
		}
		p.Alloc(nil, 1)
	}
	if hits, _ := p.Match(chain); hits != 0 {
		t.Error("found what nobody has")
	}
}

func TestAnEmptyCache(t *testing.T) {
	p := NewPool(1, false)
	if p.Free() != 0 || p.Usage() != 0 || !p.Reset() {
		t.Errorf("%d blocks are free, usage %g", p.Free(), p.Usage())
	}
}

// TestBookkeeping does at random what an engine does, and looks at everything after each step.
func TestBookkeeping(t *testing.T) {
	for seed := range uint64(200) {
		source := rand.New(rand.NewPCG(seed, 0))
		p := NewPool(2+source.IntN(20), source.IntN(4) > 0)
		var tables [][]int32
		for range 200 {
			chain := blocks(append(ids(0, source.IntN(6)), ids(100*source.IntN(3), source.IntN(4))...))
			hits, free := p.Match(chain)
			switch n := len(chain) - hits; {
			case source.IntN(3) > 0 && n+free <= p.Free():
				table := p.Alloc(p.Take(nil, chain[:hits]), n)
				for i := range table {
					if source.IntN(4) > 0 {
						p.Remember(table[i], chain[i])
					}
				}
				tables = append(tables, table)
			case len(tables) > 0:
				i := source.IntN(len(tables))
				p.Release(tables[i])
				tables = slices.Delete(tables, i, i+1)
			case source.IntN(4) == 0:
				p.Reset()
			}
			if err := p.check(tables); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	}
}

// check returns what is wrong with the bookkeeping, given the tables in use.
func (p *Pool) check(tables [][]int32) error {
	refs := make([]int32, len(p.blocks))
	for _, table := range tables {
		for _, id := range table {
			refs[id]++
		}
	}
	queued, remembered := 0, 0
	for id := p.blocks[0].next; id != 0; id = p.blocks[id].next {
		if queued++; queued > p.free || refs[id] != 0 || p.blocks[p.blocks[id].next].prev != id {
			return fmt.Errorf("the queue is broken at block %d", id)
		}
	}
	if queued != p.free || refs[0] != 0 {
		return fmt.Errorf("%d blocks are queued and %d are free; block 0 is used %d times", queued, p.free, refs[0])
	}
	for id, b := range p.blocks {
		if b.refs != refs[id] {
			return fmt.Errorf("block %d is used %d times, and counts %d", id, refs[id], b.refs)
		}
		if b.remembered {
			remembered++
		}
	}
	for h, oldest := range p.cached {
		for id, again := oldest, false; !again; again = id == oldest {
			b := p.blocks[id]
			if remembered--; !b.remembered || b.hash != h || p.blocks[b.newer].older != id {
				return fmt.Errorf("block %d is found by a hash that it has not", id)
			}
			id = b.newer
		}
	}
	if remembered != 0 {
		return fmt.Errorf("%d blocks are remembered and not found", remembered)
	}
	return nil
}

// BenchmarkSameContent is what it takes to remember one more of many blocks that hold the same.
func BenchmarkSameContent(b *testing.B) {
	for _, n := range []int{10, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			p := NewPool(n+1, true)
			same := Hash{1}
			for range n {
				table := p.Alloc(nil, 1)
				p.Remember(table[0], same)
				p.Release(table)
			}
			table := make([]int32, 0, 1)
			for b.Loop() {
				table = p.Alloc(table[:0], 1)
				p.Remember(table[0], same)
				p.Release(table)
			}
		})
	}
}

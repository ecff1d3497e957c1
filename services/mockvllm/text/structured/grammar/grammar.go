package grammar

import (
	"errors"
	"math"
	"math/rand/v2"
)

// MaxText is how many bytes a text may have, about.
const MaxText = 64 << 10

// ErrEndless is the error of a grammar that has no text, or none that is short enough.
var ErrEndless = errors.New("no text of it is short enough")

// MaxNesting bounds expressions and grammars.
const MaxNesting = 500

// Grammar is a start rule with all that it needs.
type Grammar struct {
	start *Node
	rules map[string]*Node

	Second bool // xgrammar, which vLLM asks first, does not take it
}

// New is the grammar of the texts of start. Each rule that is named in it, or in a rule, is among rules.
func New(start *Node, rules map[string]*Node) (*Grammar, error) {
	return (&Grammar{start: start, rules: rules}).measured()
}

// Start is what the texts are of, to be a part of another grammar. That has to have the rules too; those of expressions have none.
func (g *Grammar) Start() *Node { return g.start }

// measured returns g once the smallest sizes are known.
func (g *Grammar) measured() (*Grammar, error) {
	all := []*Node{}
	seen := map[*Node]bool{}
	var walk func(n *Node)
	walk = func(n *Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, s := range n.subs {
			walk(s)
		}
		if n.op == opRule {
			walk(g.rules[n.text])
		}
		n.size = math.MaxInt
		all = append(all, n)
	}
	walk(g.start)
	for _, r := range g.rules {
		walk(r)
	}
	for changed := true; changed; {
		changed = false
		for _, n := range all {
			if size := g.measure(n); size < n.size {
				n.size, changed = size, true
			}
		}
	}
	if g.start.size > MaxText {
		return nil, ErrEndless
	}
	smallest := writer{g: g, src: Source{Rand: rand.New(rand.NewPCG(1, 1))}}
	if smallest.write(g.start); smallest.steps > maxWork {
		return nil, ErrEndless
	}
	return g, nil
}

// measure is the size of n by what is known of its parts.
func (g *Grammar) measure(n *Node) int {
	switch n.op {
	case opText:
		return len(n.text)
	case opClass:
		if len(n.ranges) == 0 {
			return math.MaxInt
		}
		return 1
	case opRule:
		return add(1, g.rules[n.text].size)
	case opRepeat:
		if n.min == 0 {
			return 0
		}
		if n.subs[0].size > MaxText/n.min {
			return math.MaxInt
		}
		return n.subs[0].size * n.min
	case opChoice:
		size := math.MaxInt
		for _, s := range n.subs {
			size = min(size, s.size)
		}
		return size
	}
	size := 0
	for _, s := range n.subs {
		size = add(size, s.size)
	}
	return size
}

func add(a, b int) int {
	if a > math.MaxInt-b {
		return math.MaxInt
	}
	return a + b
}

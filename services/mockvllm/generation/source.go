package generation

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/internal/splitmix"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
)

// source gives the tokens of an answer in order, without an end. It must not depend on what was asked before.
type source struct {
	said   []int  // these first, then end, then the same again
	end    int    // noToken: nothing is between
	free   bool   // after end words follow
	words  []int  // or one of these at each place, nothing being said
	seed   uint64 // which one
	choice int    // number of the answer
	from   int    // the first place
	head   []int  // before it, the rest of a word that was begun
	eos    int
	stops  bool // one of the words is eos

	mark int // after lead words this token, then what is said; -1: nothing comes before
	lead int

	boosted []int // these now and then, where words are drawn
	forced  int   // this one at each place; -1: none
	least   int   // before this place no token that ends an answer
	ends    []int // tokens that end one, if there is such a place
	stop    int   // the token that is a stop string, -1: none
	stopAt  int   // where it is said
	loop    int   // places after which a greedy answer goes round, 0: it does not
	period  int
}

// token is the id at place i.
func (s *source) token(i int) int {
	id := s.pick(i)
	for try := uint64(1); i < s.least && slices.Contains(s.ends, id) && try < 100; try++ {
		id = s.words[pickOf(s.seed^try<<40, i, len(s.words))]
	}
	if i < s.least && slices.Contains(s.ends, id) {
		return 0 // with all tokens forbidden, vLLM takes the first
	}
	return id
}

func (s *source) pick(i int) int {
	switch {
	case s.forced >= 0:
		return s.forced
	case s.mark >= 0 && i < s.lead:
		return s.word(i)
	case s.mark >= 0 && i == s.lead:
		return s.mark
	case s.mark >= 0:
		i -= s.lead + 1
	}
	if s.said != nil && !s.free {
		return s.say(i % (len(s.said) + s.ending()))
	}
	switch {
	case s.said != nil && i <= len(s.said):
		return s.say(i)
	case i == s.stopAt && s.stop >= 0:
		return s.stop
	case s.loop > 0 && i > s.loop:
		i = s.loop + (i-s.loop)%s.period
	}
	if i < len(s.head) {
		return s.head[i]
	}
	return s.word(i - len(s.head) + s.from)
}

// noToken stands for no end at all.
const noToken = -1

// ending is how many tokens are between what is said and the same again.
func (s *source) ending() int {
	if s.end == noToken {
		return 0
	}
	return 1
}

// say is token i of what is said, and then its end.
func (s *source) say(i int) int {
	if i < len(s.said) {
		return s.said[i]
	}
	return s.end
}

// word draws one. From the fifth place on each eighth is a boosted token.
func (s *source) word(i int) int {
	const first, often = 10, 8
	if len(s.boosted) > 0 && i >= first && (i == first+len(s.boosted) || pickOf(s.seed+1, i, often) == 0) {
		return s.boosted[pickOf(s.seed+2, i, len(s.boosted))]
	}
	return s.words[pickOf(s.seed, i, len(s.words))]
}

// endless tells how many tokens there are when nothing in them can end the answer, or that each has to be looked at.
func (s *source) endless(p *sampling.Params) (tokens int, never bool) {
	switch {
	case len(p.Stop) > 0 || len(p.StopTokenIDs) > 0 || p.Repetition.MaxSize > 0:
		return 0, false
	case s.forced < 0 && s.said == nil:
		return int(p.MaxTokens), !s.stops && !slices.Contains(s.boosted, s.eos)
	}
	return 0, false
}

// pickOf draws one of n for a place.
func pickOf(seed uint64, place, n int) int {
	return int(splitmix.Mix(seed+uint64(place)*golden) % uint64(n)) // place and n are small and not negative
}

const golden = 0x9e3779b97f4a7c15

package reasoning

import (
	"slices"
	"strings"
)

// tokenMarks is thinking that ends with a token; the one that begins it may be missing.
type tokenMarks struct {
	start, end string
	keepsStart bool // the mark that begins is text like any other
}

var (
	deepseekR1 = tokenMarks{start: "<think>", end: "</think>"}.parser()
	step3      = tokenMarks{start: "<think>", end: "</think>", keepsStart: true}.parser()
)

func (m tokenMarks) parser() Parser {
	return Parser{
		Start: m.start, End: m.end,
		split:  m.split,
		stream: func() Stream { return &tokenStream{marks: m} },
		count:  m.count,
	}
}

// split takes what looks like a mark for one: of a whole text vLLM sees no tokens.
func (m tokenMarks) split(text string) (reasoning, content *string) {
	if _, rest, found := strings.Cut(text, m.start); found && !m.keepsStart {
		text = rest
	}
	before, after, _ := strings.Cut(text, m.end)
	return &before, filled(after)
}

// count counts tokens between marks, so without a mark that begins there are none; step3 counts what is before the end.
func (m tokenMarks) count(tokens []string) int {
	if m.keepsStart {
		if n := slices.Index(tokens, m.end); n >= 0 {
			return n
		}
		return len(tokens)
	}
	n, depth := 0, 0
	for _, t := range tokens {
		switch {
		case t == m.start:
			depth++
		case t == m.end:
			depth = max(0, depth-1)
		case depth > 0:
			n++
		}
	}
	return n
}

type tokenStream struct {
	marks tokenMarks
	begun bool // start was there
	ended bool
}

func (s *tokenStream) Feed(text string, tokens []string) (d Delta, ok bool) {
	if s.ended {
		return Delta{Content: text}, text != ""
	}
	begins := !s.marks.keepsStart && slices.Contains(tokens, s.marks.start)
	s.ended = slices.Contains(tokens, s.marks.end)
	switch {
	case len(tokens) == 1 && (begins || s.ended):
	case !s.ended:
		return Delta{Reasoning: text}, true // a mark that comes with other tokens stays in it, as in vLLM, which tells empty thoughts too
	default:
		d.Reasoning, d.Content, _ = strings.Cut(text, s.marks.end)
		if begins && !s.begun {
			_, d.Reasoning, _ = strings.Cut(d.Reasoning, s.marks.start)
		}
	}
	s.begun = s.begun || begins
	return d, d.Reasoning != "" || d.Content != ""
}

func (s *tokenStream) Finish() (Delta, bool) { return Delta{}, false }
func (s *tokenStream) Ended() bool           { return s.ended }

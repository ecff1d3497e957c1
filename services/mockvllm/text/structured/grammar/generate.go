package grammar

import (
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Source is what texts are made from.
type Source struct {
	Rand  *rand.Rand
	Guide bool   // short texts that make sense, rather than random ones
	Asked string // what the user said
}

// Mentions tells whether the user said a text, in a word or words of their own: "flights" mentions no "f". Case does not matter.
func (src Source) Mentions(text string) bool {
	asked, text := strings.ToLower(src.Asked), strings.ToLower(text)
	for at := 0; text != ""; {
		i := strings.Index(asked[at:], text)
		if i < 0 {
			return false
		}
		before, after := asked[:at+i], asked[at+i+len(text):]
		if !joined(before, text) && !joined(text, after) {
			return true
		}
		_, first := utf8.DecodeRuneInString(text)
		at += i + first
	}
	return false
}

// joined tells whether a word goes on from one text into the next.
func joined(text, next string) bool {
	last, _ := utf8.DecodeLastRuneInString(text)
	first, _ := utf8.DecodeRuneInString(next)
	return inWord(last) && inWord(first)
}

// inWord tells whether a character is part of a word with its neighbours, which it is not in scripts that are written without spaces.
func inWord(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsDigit(r)) && !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
}

// Generate makes a text. It has about soft bytes at most, if the grammar allows that.
func (g *Grammar) Generate(src Source, soft int) string {
	w := writer{g: g, src: src, soft: soft}
	w.write(g.start)
	return w.out.String()
}

type writer struct {
	g     *Grammar
	src   Source
	soft  int
	depth int
	steps int
	out   strings.Builder
}

// From maxDepth on, and after maxSteps parts, only the smallest texts are written; a grammar whose smallest text takes maxWork
// parts is refused.
const (
	maxDepth = 200
	maxSteps = 20000
	maxWork  = 1 << 20
)

func (w *writer) write(n *Node) {
	if w.steps++; w.steps > maxWork {
		return
	}
	tight := w.out.Len()+n.size > w.soft || w.depth > maxDepth || w.steps > maxSteps
	w.depth++
	defer func() { w.depth-- }()
	switch n.op {
	case opText:
		w.out.WriteString(n.text)
	case opClass:
		w.out.WriteRune(w.pick(n.ranges))
	case opRule:
		w.write(w.g.rules[n.text])
	case opSequence:
		for _, s := range n.subs {
			w.write(s)
		}
	case opChoice:
		w.write(w.choice(n, tight))
	case opRepeat:
		for i := w.times(n, tight); i > 0 && w.steps <= maxWork; i-- {
			w.write(n.subs[0])
		}
	}
}

func (w *writer) choice(n *Node, tight bool) *Node {
	best := n.subs[0]
	var open []*Node
	for _, s := range n.subs {
		if s.size < best.size {
			best = s
		}
		if s.size <= MaxText && w.out.Len()+s.size <= w.soft {
			open = append(open, s)
		}
	}
	switch {
	case tight || len(open) == 0:
		return best
	case !w.src.Guide:
		return open[w.src.Rand.IntN(len(open))]
	}
	for _, s := range open {
		if s.op == opText && len(s.text) > 1 && w.src.Mentions(s.text) {
			return s
		}
	}
	return open[0]
}

// long is how often a character is repeated in a random text if it may be repeated without end: a model that talks at random has
// many ways to go on, and one to end.
const long = 64

// times is how often a repetition is written. What can be empty need not be there at all.
func (w *writer) times(n *Node, tight bool) int {
	if n.subs[0].size == 0 {
		if tight {
			return 0
		}
		return min(n.min, 4) + w.src.Rand.IntN(2)*min(1, w.more(n))
	}
	most := n.min + 4
	if n.min == 0 && w.src.Guide {
		most = 1
	}
	if n.max >= 0 {
		most = min(most, n.max)
	} else if room := w.soft - w.out.Len() - n.min; n.subs[0].op == opClass && !w.src.Guide && room > 0 {
		return n.min + min(room, long+w.src.Rand.IntN(long))
	}
	switch {
	case tight || n.subs[0].size > MaxText || most <= n.min:
		return n.min
	case w.src.Guide:
		return max(n.min, min(most, 1))
	}
	return n.min + w.src.Rand.IntN(most-n.min+1)
}

// more is how many times more than it must a repetition can be written.
func (w *writer) more(n *Node) int {
	if n.max < 0 {
		return 1
	}
	return n.max - n.min
}

// pick takes a character of a class: a letter or a digit where there is one, else what can be printed.
func (w *writer) pick(ranges []rune) rune {
	if w.src.Guide {
		for _, want := range "a1A ." {
			if contains(ranges, want) {
				return want
			}
		}
	}
	for range 8 {
		if r := rune(' ' + w.src.Rand.IntN('~'-' '+1)); contains(ranges, r) {
			return r
		}
	}
	var first rune = -1
	for r := ' '; r <= '~' && first < 0; r++ {
		if contains(ranges, r) {
			first = r
		}
	}
	if first >= 0 {
		return first
	}
	i := w.src.Rand.IntN(len(ranges)/2) * 2
	r := ranges[i] + w.src.Rand.Int32N(ranges[i+1]-ranges[i]+1)
	if 0xd800 <= r && r <= 0xdfff { // no character
		return ranges[i]
	}
	return r
}

func contains(ranges []rune, r rune) bool {
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i] <= r && r <= ranges[i+1] {
			return true
		}
	}
	return false
}

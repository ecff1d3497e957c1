package grammar

// Node is a part of a rule.
type Node struct {
	op       op
	text     string
	ranges   []rune // pairs, of a class
	subs     []*Node
	min, max int // of a repetition; max < 0: without end
	size     int // of the smallest text, and one for each rule on the way, which makes rules that lead to themselves larger
}

type op int

const (
	opText op = iota
	opClass
	opSequence
	opChoice
	opRepeat
	opRule // text is its name
)

// Text is a text as it stands.
func Text(text string) *Node { return &Node{op: opText, text: text} }

// Class is one of the characters in the ranges, which are pairs of the first and the last one. Without any there is no text.
func Class(ranges ...rune) *Node { return &Node{op: opClass, ranges: ranges} }

// Sequence is its parts, one after the other; without any it is the empty text.
func Sequence(parts ...*Node) *Node { return &Node{op: opSequence, subs: parts} }

// Choice is one of its parts, of which there has to be one at least.
func Choice(parts ...*Node) *Node { return &Node{op: opChoice, subs: parts} }

// Repeat is a part, least times or more. A most below 0 is no bound.
func Repeat(part *Node, least, most int) *Node {
	return &Node{op: opRepeat, min: least, max: most, subs: []*Node{part}}
}

// Rule is a rule by its name.
func Rule(name string) *Node { return &Node{op: opRule, text: name} }

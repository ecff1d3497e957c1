package document

import "errors"

// Kind is what a value is.
type Kind int

// The kinds that both notations know.
const (
	Null Kind = iota
	Boolean
	Number
	Text
	List
	Mapping
)

// String names a kind as a fault says what was found.
func (k Kind) String() string {
	return [...]string{"null", "true or false", "a number", "a string", "a list", "an object"}[k]
}

// Node is a value in either notation.
type Node struct {
	Kind    Kind
	Text    string // of a boolean, number or string, without quotes
	Items   []*Node
	Members []Member // in the order of the file, names may repeat
}

// Member is a name and its value.
type Member struct {
	Name  string
	Value *Node
}

// ErrEmpty is what a file without a value is.
var ErrEmpty = errors.New("the file is empty")

// maxNesting is far above what people write and far below what recursion can bear.
const maxNesting = 1000

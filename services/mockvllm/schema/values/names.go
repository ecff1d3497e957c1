package values

// Names are the numbers of fields by what they are called. A request asks for some hundred of them, which are short and known
// from the start: three of their bytes tell most apart, where a map hashes all.
type Names struct {
	slots []slot // a power of 2, at most half of which are taken
}

type slot struct {
	name  string
	field int // plus 1; 0 is none
}

// NewNames has room for so many fields.
func NewNames(fields int) Names {
	size := 4
	for size < 4*fields {
		size *= 2
	}
	return Names{make([]slot, size)}
}

// at is the slot of a name, or the one where it would be.
func (n Names) at(name string) *slot {
	h := uint(len(name))
	if h > 0 {
		h += 7*uint(name[0]) + 31*uint(name[h/2]) + 61*uint(name[h-1])
	}
	for mask := uint(len(n.slots) - 1); ; h++ {
		if s := &n.slots[h&mask]; s.field == 0 || s.name == name {
			return s
		}
	}
}

// Add gives a field its name.
func (n Names) Add(name string, field int) { *n.at(name) = slot{name, field + 1} }

// Find returns the number of a field, or -1.
func (n Names) Find(name string) int { return n.at(name).field - 1 }

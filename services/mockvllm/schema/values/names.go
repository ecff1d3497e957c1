package values

// Names are the numbers of fields by what they are called. A request asks for some hundred of them, which are short and known
// from the start: three of their bytes tell most apart, where a map hashes all. What is looked at stays in the fastest memory.
type Names struct {
	slots []uint16 // places in names, plus 1; 0 is none. A power of 2, at most half of which are taken
	names []named
}

type named struct {
	name  string
	field int
}

// NewNames has room for so many fields.
func NewNames(fields int) Names {
	size := 4
	for size < 4*fields {
		size *= 2
	}
	return Names{slots: make([]uint16, size)}
}

func hash(name string) uint {
	h := uint(len(name))
	if h > 0 {
		h += 7*uint(name[0]) + 31*uint(name[h/2]) + 61*uint(name[h-1])
	}
	return h
}

// filter tells of most names that they were not added.
type filter [4]uint64

func (f *filter) add(hash uint) { f[hash>>6&3] |= 1 << (hash & 63) }

func (f *filter) has(hash uint) bool { return f[hash>>6&3]>>(hash&63)&1 != 0 }

// at is the slot of a name with its hash h, or the one where it would be.
func (n *Names) at(name string, h uint) *uint16 {
	for mask := uint(len(n.slots) - 1); ; h++ {
		if s := &n.slots[h&mask]; *s == 0 || n.names[*s-1].name == name {
			return s
		}
	}
}

// Add gives a field its name.
func (n *Names) Add(name string, field int) {
	s := n.at(name, hash(name))
	if *s == 0 {
		n.names = append(n.names, named{name, field})
		*s = uint16(len(n.names)) // no class has as many fields
	}
	n.names[*s-1].field = field
}

// Find returns the number of a field, or -1.
func (n *Names) Find(name string) int { return n.find(name, hash(name)) }

func (n *Names) find(name string, h uint) int {
	s := *n.at(name, h)
	if s == 0 {
		return -1
	}
	return n.names[s-1].field
}

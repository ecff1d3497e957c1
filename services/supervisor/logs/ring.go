package logs

import (
	"cmp"
	"slices"
	"time"
)

const (
	// MaxLines is how many lines of a stream are kept in memory.
	MaxLines = 10_000
	// maxBytes bounds all of them together, because 10,000 of the longest would be 640 MB.
	maxBytes = 8 << 20
)

// entry is a line without its stream.
type entry struct {
	offset int64
	at     time.Time
	text   string
}

// ring keeps the last lines of a stream.
type ring struct {
	lines []entry // the oldest first
	size  int     // bytes of text
	gone  int64   // offset of the last line that had to go
}

func (r *ring) add(e entry) {
	r.lines = append(r.lines, e)
	r.size += len(e.text)
	for len(r.lines) > MaxLines || r.size > maxBytes {
		r.size -= len(r.lines[0].text)
		r.gone = r.lines[0].offset
		r.lines[0] = entry{} // the array lives on until append moves the rest
		r.lines = r.lines[1:]
	}
}

// after returns the lines with an offset above this one.
func (r *ring) after(offset int64) []entry {
	n, _ := slices.BinarySearchFunc(r.lines, offset+1, func(e entry, o int64) int { return cmp.Compare(e.offset, o) })
	return r.lines[n:]
}

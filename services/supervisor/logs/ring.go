package logs

import (
	"bytes"
	"sync"
)

const (
	// MaxLines is how many lines a ring keeps.
	MaxLines = 10_000
	// maxLine is where a longer line is cut, in bytes.
	maxLine = 64 << 10
	// maxBytes bounds all lines together, because 10,000 of the longest would be 640 MB.
	maxBytes = 8 << 20
)

// cut marks a line that was longer.
const cut = " [cut]"

// Ring keeps the last lines written to it. The zero value is ready, and safe for concurrent use.
type Ring struct {
	mu    sync.Mutex
	lines []string // the oldest first
	size  int      // bytes of lines
	part  []byte   // the line being written
	long  bool     // part was cut
	back  bool     // a carriage return came last: what follows, unless a line feed, overwrites the line
}

// Write takes output as it comes. Of a line that is overwritten after a carriage return, as progress bars do, the last state is
// kept. It never fails.
func (r *Ring) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for rest := p; len(rest) > 0; {
		n := bytes.IndexAny(rest, "\r\n")
		if n < 0 {
			r.extend(rest)
			break
		}
		r.extend(rest[:n])
		if rest[n] == '\n' {
			r.endLine()
		} else {
			r.back = true
		}
		rest = rest[n+1:]
	}
	return len(p), nil
}

func (r *Ring) extend(b []byte) {
	if len(b) == 0 {
		return
	}
	if r.back {
		r.part, r.long, r.back = r.part[:0], false, false
	}
	room := maxLine - len(r.part)
	if len(b) > room {
		b, r.long = b[:room], true
	}
	r.part = append(r.part, b...)
}

func (r *Ring) endLine() {
	line := r.partial()
	r.part, r.long, r.back = r.part[:0], false, false
	r.lines = append(r.lines, line)
	r.size += len(line)
	for len(r.lines) > MaxLines || r.size > maxBytes {
		r.size -= len(r.lines[0])
		r.lines[0] = "" // the array lives on until append moves the rest
		r.lines = r.lines[1:]
	}
}

func (r *Ring) partial() string {
	if r.long {
		return string(r.part) + cut
	}
	return string(r.part)
}

// Last returns up to n lines, the oldest first, with the one that is being written.
func (r *Ring) Last(n int) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.lines
	if len(r.part) > 0 {
		all = append(all[:len(all):len(all)], r.partial())
	}
	return append([]string(nil), all[max(0, len(all)-n):]...)
}

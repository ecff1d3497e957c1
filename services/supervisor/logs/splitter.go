package logs

import "bytes"

// maxLine is where a longer line is cut, in bytes.
const maxLine = 64 << 10

// cut marks a line that was longer.
const cut = " [cut]"

// splitter cuts output into lines as it comes.
type splitter struct {
	part []byte // the line being written
	long bool   // part was cut
	back bool   // a carriage return came last: what follows, unless a line feed, overwrites the line
}

// write calls ended for each line that ends, and over for each state of a line that something else is written over after a carriage
// return, as progress bars do.
func (s *splitter) write(p []byte, over, ended func(text []byte, long bool)) {
	for len(p) > 0 {
		n := bytes.IndexAny(p, "\r\n")
		if n < 0 {
			s.extend(p, over)
			return
		}
		s.extend(p[:n], over)
		if p[n] == '\n' {
			ended(s.part, s.long)
			s.part, s.long, s.back = s.part[:0], false, false
		} else {
			s.back = true
		}
		p = p[n+1:]
	}
}

func (s *splitter) extend(b []byte, over func(text []byte, long bool)) {
	if len(b) == 0 {
		return
	}
	if s.back {
		if len(s.part) > 0 {
			over(s.part, s.long)
		}
		s.part, s.long, s.back = s.part[:0], false, false
	}
	room := maxLine - len(s.part)
	if len(b) > room {
		b, s.long = b[:room], true
	}
	s.part = append(s.part, b...)
}

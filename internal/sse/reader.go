package sse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// ErrTooLong is returned for a frame above the reader's limit.
var ErrTooLong = errors.New("event stream frame over the limit")

// Frame is one event or comment block with the bytes that it came in. Both slices are valid until the next call of Next.
type Frame struct {
	Raw  []byte // as received, up to and with the blank line that ends it
	Data []byte // the data fields joined by newlines; nil for a frame without one, such as a comment
}

// Reader cuts an event stream into frames. Lines end with LF, CRLF or CR, as the standard allows.
type Reader struct {
	src   io.Reader
	limit int

	buf        []byte // received, not yet returned
	start, end int    // buf[start:end] is waiting
	err        error

	// The search for the end of the first waiting frame goes on where it stopped, however small the pieces are in which
	// the frame comes. Offsets are those from start.
	line    int  // where the line begins that is searched
	seen    int  // no line ends between line and here
	content bool // a line that is not blank came before
	data    []byte
}

// NewReader reads frames of at most limit bytes from src.
func NewReader(src io.Reader, limit int) *Reader {
	return &Reader{src: src, limit: limit, buf: make([]byte, min(limit+1, 4096))}
}

// Next returns the next frame. It returns io.EOF at the end of a stream whose last frame was complete, and
// io.ErrUnexpectedEOF, with the torn frame, where the stream ends inside of one. Other errors are those of the source.
func (r *Reader) Next() (Frame, error) {
	for {
		if f, ok := r.usual(); ok {
			return f, nil
		}
		if n := r.frameEnd(); n > 0 {
			return r.frame(r.take(n)), nil
		}
		waiting := r.end - r.start
		if r.err != nil {
			rest := r.take(waiting)
			if len(bytes.Trim(rest, "\r\n")) == 0 && r.err == io.EOF {
				return Frame{}, io.EOF
			}
			return r.frame(rest), torn(r.err)
		}
		if waiting > r.limit {
			return Frame{}, fmt.Errorf("%w of %d bytes", ErrTooLong, r.limit)
		}
		r.fill()
	}
}

func torn(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Buffered tells whether a whole frame can be had without reading from the source.
func (r *Reader) Buffered() bool { return r.start < r.end && r.frameEnd() > 0 }

// usual takes the first frame when it is as nearly every one: a line of data and a blank one, both of which end with LF, and all of it
// came at once. It looks at each byte half as often as the others do.
func (r *Reader) usual() (Frame, bool) {
	waiting := r.buf[r.start:r.end]
	line := bytes.IndexByte(waiting, '\n')
	if r.seen > 0 || line < 0 || line+1 == len(waiting) || waiting[line+1] != '\n' {
		return Frame{}, false
	}
	data, ok := bytes.CutPrefix(waiting[:line], []byte("data: "))
	if !ok || bytes.IndexByte(data, '\r') >= 0 {
		return Frame{}, false
	}
	return Frame{Raw: r.take(line + 2), Data: data}, true
}

func (r *Reader) fill() {
	if r.start > 0 {
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
	if r.end == len(r.buf) {
		r.buf = append(r.buf, make([]byte, len(r.buf))...)
	}
	n, err := r.src.Read(r.buf[r.end:])
	r.end += n
	r.err = err
}

// take removes the first n waiting bytes.
func (r *Reader) take(n int) []byte {
	taken := r.buf[r.start : r.start+n]
	r.start += n
	r.line, r.seen, r.content = 0, 0, false
	return taken
}

// frameEnd returns the length of the first frame that is waiting, or 0. Blank lines before a frame's first line belong
// to it.
func (r *Reader) frameEnd() int {
	waiting := r.buf[r.start:r.end]
	for {
		length, next := cutLine(waiting[r.seen:])
		blank := length == 0 && r.line == r.seen
		switch {
		case length < 0:
			r.seen = len(waiting)
			return 0
		case blank && r.content:
			return r.seen + next
		case r.seen+next == len(waiting) && waiting[len(waiting)-1] == '\r':
			r.seen += length // LF may follow, and belongs to this line
			return 0
		}
		r.content = r.content || !blank
		r.seen += next
		r.line = r.seen
	}
}

// cutLine finds the first line of b: its length, -1 when it does not end in b, and where the next begins.
func cutLine(b []byte) (length, next int) {
	lf := bytes.IndexByte(b, '\n')
	before := b
	if lf >= 0 {
		before = b[:lf]
	}
	cr := bytes.IndexByte(before, '\r')
	switch {
	case cr >= 0 && cr+1 == lf:
		return cr, lf + 1
	case cr >= 0:
		return cr, cr + 1
	}
	return lf, lf + 1
}

// frame takes the data fields out of raw (standard, "interpreting an event stream").
func (r *Reader) frame(raw []byte) Frame {
	f := Frame{Raw: raw}
	for rest := raw; len(rest) > 0; {
		length, next := cutLine(rest)
		if length < 0 {
			length, next = len(rest), len(rest)
		}
		value, ok := field(rest[:length])
		rest = rest[next:]
		switch {
		case !ok:
		case f.Data == nil:
			f.Data = value
		default:
			r.data = append(append(append(r.data[:0], f.Data...), '\n'), value...)
			f.Data = r.data
		}
	}
	return f
}

// field returns the value of a data line, not nil.
func field(line []byte) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(line, []byte("data"))
	if !ok {
		return nil, false
	}
	if len(rest) == 0 {
		return rest, true
	}
	if rest[0] != ':' {
		return nil, false
	}
	return bytes.TrimPrefix(rest[1:], []byte(" ")), true
}

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
	data       []byte
	err        error
}

// NewReader reads frames of at most limit bytes from src.
func NewReader(src io.Reader, limit int) *Reader {
	return &Reader{src: src, limit: limit, buf: make([]byte, min(limit+1, 4096)), data: []byte{}}
}

// Next returns the next frame. It returns io.EOF at the end of a stream whose last frame was complete, and
// io.ErrUnexpectedEOF, with the torn frame, where the stream ends inside of one. Other errors are those of the source.
func (r *Reader) Next() (Frame, error) {
	scanned := 0 // bytes of the waiting ones that hold no end of frame
	for {
		waiting := r.buf[r.start:r.end]
		if n := frameEnd(waiting, scanned); n > 0 {
			r.start += n
			return r.frame(waiting[:n]), nil
		}
		scanned = max(0, len(waiting)-3) // an end can lie across what comes next: at most CR LF CR before it
		if r.err != nil {
			r.start = r.end
			if len(bytes.Trim(waiting, "\r\n")) == 0 && r.err == io.EOF {
				return Frame{}, io.EOF
			}
			return r.frame(waiting), torn(r.err)
		}
		if len(waiting) > r.limit {
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
func (r *Reader) Buffered() bool { return frameEnd(r.buf[r.start:r.end], 0) > 0 }

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

// frameEnd returns the length of the first frame in b, or 0. Blank lines before a frame's first line belong to it.
// The search begins at from, where only line endings before it can matter.
func frameEnd(b []byte, from int) int {
	for i := from; i < len(b); {
		n := bytes.IndexAny(b[i:], "\r\n")
		if n < 0 {
			return 0
		}
		i += n
		lines, next := lineEndings(b, i)
		if lines > 1 && len(bytes.Trim(b[:i], "\r\n")) > 0 {
			return next
		}
		i = next
	}
	return 0
}

// lineEndings counts the line endings in a row at b[i:], two at most once content preceded, and tells where they end.
func lineEndings(b []byte, i int) (lines, next int) {
	for i < len(b) && lines < 2 {
		switch {
		case b[i] == '\n':
			i++
		case b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n':
			i += 2
		case b[i] == '\r':
			i++
		default:
			return lines, i
		}
		lines++
	}
	return lines, i
}

// frame takes the data fields out of raw (standard, "interpreting an event stream").
func (r *Reader) frame(raw []byte) Frame {
	r.data = r.data[:0]
	found := false
	for line := range bytes.FieldsFuncSeq(raw, func(c rune) bool { return c == '\r' || c == '\n' }) {
		value, ok := field(line)
		if !ok {
			continue
		}
		if found {
			r.data = append(r.data, '\n')
		}
		r.data = append(r.data, value...)
		found = true
	}
	if !found {
		return Frame{Raw: raw}
	}
	return Frame{Raw: raw, Data: r.data}
}

// field returns the value of a data line.
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

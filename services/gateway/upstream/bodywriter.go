package upstream

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
)

// bodyWriter writes the body of a request, framed. The head goes with its first bytes if they are at hand.
type bodyWriter struct {
	conn net.Conn
	head []byte // until it is written
	now  bool   // the body may take its time, and the server can do something with the head
	left int64  // of the body's length; -1 for one of unknown length, which goes out in chunks
	err  error  // of conn
}

var copyBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// copy sends all of body. A *BodyError is the body's fault, any other the connection's.
func (w *bodyWriter) copy(body io.Reader) error {
	buf, _ := copyBuffers.Get().(*[32 << 10]byte)
	defer copyBuffers.Put(buf)
	if w.now {
		if err := w.write(); err != nil {
			return err
		}
	}
	_, err := io.CopyBuffer(w, body, buf[:]) // what lies in memory writes itself, in one piece
	switch {
	case w.err != nil:
		return w.err
	case err != nil:
		return &BodyError{err}
	case w.left > 0:
		return &BodyError{fmt.Errorf("%d bytes are missing: %w", w.left, io.ErrUnexpectedEOF)}
	case w.left < 0:
		return w.write([]byte("0\r\n\r\n"))
	}
	return nil
}

// Write sends a piece of the body.
func (w *bodyWriter) Write(p []byte) (int, error) {
	switch {
	case len(p) == 0:
		return 0, nil // as a chunk it would be the end
	case w.left < 0:
		size := append(strconv.AppendInt(nil, int64(len(p)), 16), "\r\n"...)
		if err := w.write(size, p, []byte("\r\n")); err != nil {
			return 0, err
		}
		return len(p), nil
	case int64(len(p)) > w.left:
		return 0, errLonger
	}
	w.left -= int64(len(p))
	if err := w.write(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// write sends the parts with one call, after the head if that is still to come.
func (w *bodyWriter) write(parts ...[]byte) error {
	all := append(net.Buffers{w.head}, parts...)
	w.head = nil
	_, w.err = all.WriteTo(w.conn)
	return w.err
}

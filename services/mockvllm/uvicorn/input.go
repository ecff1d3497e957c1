package uvicorn

import (
	"bytes"
	"net"
	"sync"
)

// input is what was read from the connection and is not used yet. It holds a buffer only while there is something to hold.
type input struct {
	conn net.Conn
	buf  *[]byte
	r, w int
}

// smallInput is the size of a buffer at first. Those that have grown are not kept.
const smallInput = 4 << 10

var inputs = sync.Pool{New: func() any { b := make([]byte, smallInput); return &b }}

func (in *input) unread() []byte {
	if in.buf == nil {
		return nil
	}
	return (*in.buf)[in.r:in.w]
}

// skipBlank drops the line ends that may precede a request.
func (in *input) skipBlank() {
	unread := in.unread()
	in.r += len(unread) - len(bytes.TrimLeft(unread, "\r\n"))
}

func (in *input) reset() { in.r, in.w = 0, 0 }

// release gives an empty buffer back.
func (in *input) release() {
	if in.buf != nil && len(*in.buf) == smallInput {
		inputs.Put(in.buf)
	}
	in.buf = nil
	in.reset()
}

// take removes n bytes, and the buffer with the last one.
func (in *input) take(n int) {
	if in.r += n; in.r == in.w {
		in.release()
	}
}

// fill reads once, behind what is there.
func (in *input) fill() error {
	switch {
	case in.buf == nil:
		in.buf = inputs.Get().(*[]byte)
	case in.r == in.w:
		in.reset()
	case in.w == len(*in.buf) && in.r > 0:
		in.w = copy(*in.buf, (*in.buf)[in.r:in.w])
		in.r = 0
	case in.w == len(*in.buf):
		grown := make([]byte, 2*in.w)
		copy(grown, *in.buf)
		in.buf = &grown
	}
	n, err := in.conn.Read((*in.buf)[in.w:])
	in.w += n
	if n > 0 {
		return nil
	}
	return err
}

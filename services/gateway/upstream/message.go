package upstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/services/gateway/upstream/pool"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream/wire"
)

// inOneWrite is the size up to which head and body are sent with one call. So much fits the buffers of a connection, so
// the call does not wait for a server that answers without reading.
const inOneWrite = 64 << 10

// BodyError says that the body of a request could not be read, so that the request could not be sent.
type BodyError struct{ Err error }

func (e *BodyError) Error() string { return "read the request's body: " + e.Err.Error() }

// Unwrap returns the reason.
func (e *BodyError) Unwrap() error { return e.Err }

// RequestError says that a request cannot be written in HTTP/1.1, whoever it is for.
type RequestError struct{ Err error }

func (e *RequestError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *RequestError) Unwrap() error { return e.Err }

// message is a request on its way to a server, maybe twice.
type message struct {
	req    *http.Request
	of     *Request // what req belongs to; nil when it is a request of our own, with its own header
	buffer *[]byte
	bytes  []byte // the head, and the body when whole
	whole  bool
	body   io.ReadCloser // what is sent after bytes, unless whole
	length int64         // of body; -1 when it is not known
	rest   *sending      // of the body; nil before that begins
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// prepare makes the bytes of the request. It reads a small body that lies in memory, as GetBody tells, and closes it then or on an
// error. Another one is not read before there is a connection to send it on.
func (m *message) prepare() error {
	m.body, m.length = m.req.Body, m.req.ContentLength
	fields := wire.Fields{Of: m.req.Header}
	var raw []byte // the body, where it lies in memory
	if m.of != nil {
		fields, raw = wire.Fields{Of: m.of.header, Except: m.of.drops, More: m.of.own}, m.of.raw
	}
	switch {
	case raw != nil:
		m.length = int64(len(raw))
	case m.body == nil || m.body == http.NoBody:
		m.body, m.length = nil, 0
	case m.length <= 0: // net/http's convention: with a body, 0 means unknown
		m.length = -1
	}
	m.buffer, _ = buffers.Get().(*[]byte)
	var err error
	if m.bytes, err = wire.AppendHead((*m.buffer)[:0], m.req, fields, m.length); err != nil {
		err = &RequestError{err}
	} else {
		err = m.takeIn(raw)
	}
	if err != nil {
		closeBody(m.body)
		return fmt.Errorf("request to %s: %w", m.req.URL.Host, err)
	}
	return nil
}

// takeIn puts the body behind the head, where it lies in memory, as raw does unless it is nil, and is small.
func (m *message) takeIn(raw []byte) error {
	small := int64(len(m.bytes))+m.length <= inOneWrite
	switch {
	case raw != nil && small:
		m.bytes, m.whole = append(m.bytes, raw...), true
	case raw != nil:
		m.req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }
		m.body, _ = m.req.GetBody()
	case m.body == nil:
		m.whole = true
	case m.length > 0 && m.req.GetBody != nil && small:
		return m.read()
	}
	return nil
}

// read reads the body behind the head.
func (m *message) read() error {
	head := len(m.bytes)
	end := head + int(m.length)
	if cap(m.bytes) < end {
		m.bytes = append(make([]byte, 0, inOneWrite), m.bytes...)
	}
	m.bytes = m.bytes[:end]
	if n, err := io.ReadFull(m.body, m.bytes[head:]); err != nil {
		return &BodyError{fmt.Errorf("after %d of %d bytes: %w", n, m.length, err)}
	}
	var more [1]byte
	if n, err := m.body.Read(more[:]); n > 0 {
		return &BodyError{errLonger}
	} else if err != nil && err != io.EOF {
		return &BodyError{err}
	}
	closeBody(m.body)
	m.body, m.whole = nil, true
	return nil
}

var errLonger = errors.New("it is longer than its Content-Length")

// recycle gives the buffer back, unless a goroutine may still use it.
func (m *message) recycle() {
	if m.whole {
		*m.buffer = m.bytes
		buffers.Put(m.buffer)
	}
}

// send writes the message to conn, all of it or, with a goroutine that ends with the connection, its rest later.
func (m *message) send(conn *pool.Conn) error {
	if m.whole {
		return conn.Send(m.bytes)
	}
	rest := &sending{over: make(chan struct{})}
	m.rest = rest
	out, body := &bodyWriter{conn: conn.Conn, head: m.bytes, left: m.length, now: m.req.GetBody == nil}, m.body
	go func() {
		rest.err = out.copy(body)
		closeBody(body)
		close(rest.over)
		if rest.fault() != nil {
			conn.Abort() // the server waits for more, and we for its answer
		}
	}()
	return nil
}

// rewind makes the message ready to be sent again, if that is possible. Its connection is closed.
func (m *message) rewind() bool {
	if m.whole {
		return true
	}
	if m.req.GetBody == nil {
		return false
	}
	<-m.rest.over // such a body is in memory, so it waits for nobody
	body, err := m.req.GetBody()
	if err != nil {
		return false
	}
	m.body, m.rest = body, nil
	return true
}

// closeUnsent closes a body for which no goroutine was started.
func (m *message) closeUnsent() {
	if m.rest == nil {
		closeBody(m.body)
	}
}

func closeBody(body io.Closer) {
	if body != nil {
		_ = body.Close() // it was read as far as it was needed
	}
}

// sending is the sending of a body by a goroutine; nil when there is none.
type sending struct {
	over chan struct{} // closed at its end
	err  error         // valid then
}

// fault is the reason in the body itself for which sending has failed, if that is known.
func (s *sending) fault() error {
	if s == nil {
		return nil
	}
	select {
	case <-s.over:
		if fault, ok := errors.AsType[*BodyError](s.err); ok {
			return fault
		}
	default:
	}
	return nil
}

// succeeded waits for the end, but not for long, and tells whether all was sent.
func (s *sending) succeeded(limit time.Duration) bool {
	if s == nil {
		return true
	}
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case <-s.over:
		return s.err == nil
	case <-late.C:
		return false
	}
}

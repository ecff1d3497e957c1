package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// leastProgress of a body resets the client's time. Less would let one byte now and then hold a request for ever.
	leastProgress = 1 << 10
	// mostAtOnce of an answer has to leave within the client's time, so that a long answer is not taken for one that stands still.
	mostAtOnce = 64 << 10
)

// ErrStalled is what reading a body or writing an answer returns when the client stood still for too long.
var ErrStalled = errors.New("the client stands still")

// exchange is one request and its answer, as the server watches over them.
type exchange struct {
	http.ResponseWriter
	control  *http.ResponseController // of ResponseWriter
	request  *http.Request            // as net/http knows it
	patience time.Duration
	stopping *atomic.Bool
	started  bool // the answer's header was written
	out      stall
	in       requestBody
}

// watched ends the requests of clients that stand still.
//
// The answers of a server that stops close their connection: HTTP/1.1 clients see "Connection: close", and net/http sends
// GOAWAY for it on HTTP/2. HTTP/1.0 has no Transfer-Encoding; net/http ignores one, so that what follows such a request
// could be the body that a proxy in front has seen (RFC 9112, 6.1: the connection has to be closed).
func watched(next http.Handler, patience time.Duration, stopping *atomic.Bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{ResponseWriter: w, control: http.NewResponseController(w), request: r, patience: patience, stopping: stopping}
		x.out.patience, x.out.expire = patience, x.expire
		defer x.finish() // also when the handler aborts by panic
		if r.Body != nil && r.Body != http.NoBody {
			x.in.ReadCloser, x.in.control, x.in.patience, x.in.left = r.Body, x.control, patience, patience
			r = r.WithContext(r.Context()) // net/http looks at the body of its own copy
			r.Body = &x.in
		}
		next.ServeHTTP(x, r)
	})
}

// begin is called before the header is written.
func (x *exchange) begin() {
	x.started = true
	if x.stopping.Load() || !x.request.ProtoAtLeast(1, 1) {
		x.Header().Set("Connection", "close")
	}
	x.boundRest()
}

// boundRest gives the client its time for the rest of a body that nobody wants: net/http reads up to 256 KiB of it before it
// sends the header, and again when it closes the connection. At the body's end net/http lifts the deadline.
func (x *exchange) boundRest() {
	if x.in.ReadCloser != nil && !x.in.ended.Load() && x.request.ProtoMajor == 1 {
		_ = x.control.SetReadDeadline(time.Now().Add(x.patience)) // fails for a connection that is gone
	}
}

// finish bounds what net/http still writes from its buffers, after it has read the rest of the body. It lifts the deadline after
// that.
func (x *exchange) finish() {
	x.in.over.Store(true)
	if !x.started {
		x.begin()
	}
	x.out.stop()
	if x.request.Context().Err() == nil {
		_ = x.control.SetWriteDeadline(time.Now().Add(2 * x.patience)) // as above
	}
}

// expire breaks the write that stands still.
func (x *exchange) expire() {
	_ = x.control.SetReadDeadline(time.Unix(1, 0)) // it may be the rest of the body for which net/http waits
	_ = x.control.SetWriteDeadline(time.Unix(1, 0))
}

func (x *exchange) WriteHeader(status int) {
	switch {
	case x.started:
	case status >= http.StatusOK: // 1xx are not the answer
		x.begin()
	case status == http.StatusSwitchingProtocols:
		x.started = true // Connection says something else then
	}
	x.ResponseWriter.WriteHeader(status)
}

func (x *exchange) Write(b []byte) (int, error) {
	if !x.started {
		x.begin()
	}
	written := 0
	for {
		piece := b[written:min(len(b), written+mostAtOnce)]
		x.out.begin()
		n, err := x.ResponseWriter.Write(piece)
		written += n
		if err = x.out.end(err); err != nil || written == len(b) {
			return written, err
		}
	}
}

// FlushError is what http.ResponseController looks for.
func (x *exchange) FlushError() error {
	if !x.started {
		x.begin()
	}
	x.out.begin()
	return x.out.end(x.control.Flush())
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// requestBody is a body whose client has a time for each KiB. It belongs to the goroutine that reads it, which need not be the
// handler's.
type requestBody struct {
	io.ReadCloser
	control  *http.ResponseController
	patience time.Duration
	left     time.Duration // of the client's time; the reader's own pauses do not count
	deadline time.Time     // as set
	got      int           // since left was full
	ended    atomic.Bool   // the handler's goroutine looks, too
	over     atomic.Bool   // the handler has returned: the connection's deadlines are those of the next request
}

// Read sets a deadline only when the one that is set is far from what the client has left: on HTTP/2 it costs a message.
func (b *requestBody) Read(p []byte) (int, error) {
	if b.over.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	begin := time.Now()
	if b.deadline.Sub(begin) < b.left/2 {
		b.deadline = begin.Add(b.left)
		if err := b.control.SetReadDeadline(b.deadline); err != nil {
			return 0, fmt.Errorf("read body: %w", err)
		}
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= time.Since(begin)
	if b.got += n; b.got >= leastProgress {
		b.got, b.left = 0, b.patience
	}
	switch {
	case err == io.EOF:
		b.ended.Store(true)
	case err != nil && time.Now().After(b.deadline):
		err = fmt.Errorf("%w: %s without progress in the body (%w)", ErrStalled, b.patience, err)
	}
	return n, err
}

// stall ends what stands still for longer than patience, without a timer of its own for each step: the timer that the first
// step sets looks, whenever it is due, how long the step of that moment has taken.
type stall struct {
	patience time.Duration
	expire   func() // called once, during a step

	mu      sync.Mutex
	timer   *time.Timer
	armed   bool
	since   time.Time // of the step; zero between steps
	expired bool
}

func (s *stall) begin() {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since = now
	if s.armed {
		return
	}
	s.armed = true
	if s.timer == nil {
		s.timer = time.AfterFunc(s.patience, s.look)
	} else {
		s.timer.Reset(s.patience)
	}
}

func (s *stall) end(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since = time.Time{}
	if s.expired && err != nil {
		return fmt.Errorf("%w: %s without progress in the answer (%w)", ErrStalled, s.patience, err)
	}
	return err
}

func (s *stall) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since.IsZero() || s.expired {
		s.armed = false
		return
	}
	if left := s.patience - time.Since(s.since); left > 0 {
		s.timer.Reset(left)
		return
	}
	s.expired = true
	s.expire()
}

// stop ends the watch. What look does it does before or never.
func (s *stall) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since = time.Time{}
	if s.timer != nil {
		s.timer.Stop()
	}
}

package wire

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
)

// ErrBroken is what writing to an answer gives once a fault has ended it.
var ErrBroken = errors.New("the answer was broken off, as a fault wants it")

// Means are what an Answer does not do itself.
type Means struct {
	Sleep func(time.Duration) bool  // false when the client left or the server stops; a negative time is without end
	Die   func(faults.Death)        // ends the engine
	Dead  func(http.ResponseWriter) // answers as a server does whose engine has died
}

// Answer is the answer to one request, with faults. A stream writes each frame at once and flushes it.
type Answer struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	do     faults.Action
	means  Means
	status int  // 0 before the header
	stream bool // else a plain answer, whose header waits for its body
	wrote  bool // the body of a plain answer

	tokens int    // of the next frame
	sent   int    // tokens
	joined []byte // frames that wait for others
	frames int    // in joined
	err    error
	broken bool
}

// New makes the answer that is written through w.
func New(w http.ResponseWriter, do faults.Action, means Means) *Answer {
	return &Answer{w: w, rc: http.NewResponseController(w), do: do, means: means}
}

// Header is that of the answer.
func (a *Answer) Header() http.Header { return a.w.Header() }

// Tokens tells how many tokens the next frame brings. A nil Answer does not care.
func (a *Answer) Tokens(n int) {
	if a != nil {
		a.tokens = n
	}
}

// Broken tells whether a fault has ended the answer.
func (a *Answer) Broken() bool { return a.broken }

// Incomplete tells whether the client left before all was sent.
func (a *Answer) Incomplete() bool { return a.err != nil && !a.broken }

// Status is that of the answer, 0 before it is known.
func (a *Answer) Status() int { return a.status }

// WriteHeader sends the header of a stream; that of a plain answer waits for the body.
func (a *Answer) WriteHeader(status int) {
	if a.status != 0 {
		return
	}
	a.status = status
	if a.stream = strings.HasPrefix(a.Header().Get("Content-Type"), "text/event-stream"); !a.stream {
		return
	}
	a.w.WriteHeader(status)
	if a.err = a.rc.Flush(); a.err == nil {
		a.err = a.place()
	}
}

// FlushError sends nothing: frames are flushed as they are written.
func (a *Answer) FlushError() error { return a.err }

// Write takes a frame of a stream, or the body of a plain answer.
func (a *Answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.err != nil {
		return 0, a.err
	}
	if a.stream {
		a.err = a.frame(p)
	} else {
		a.err = a.plain(p)
	}
	return len(p), a.err
}

// Finish sends what is still held back. It comes after the handler.
func (a *Answer) Finish() {
	switch {
	case a.err != nil || a.status == 0:
	case a.stream:
		a.err = a.flushJoined()
	case !a.wrote:
		a.w.WriteHeader(a.status)
	}
}

func (a *Answer) frame(p []byte) error {
	if at := a.do.Malformed; at != nil && a.sent >= *at {
		a.do.Malformed = nil
		p = append(p[:len(p)/2:len(p)/2], "\n\n"...)
	}
	a.joined = append(a.joined, p...)
	a.frames++
	a.sent += a.tokens
	a.tokens = 0
	if a.frames >= a.do.Join || a.due() {
		if err := a.flushJoined(); err != nil {
			return err
		}
	}
	return a.place()
}

func (a *Answer) flushJoined() error {
	p := a.joined
	a.joined, a.frames = a.joined[:0], 0
	return a.send(p)
}

// due tells whether the stream is where something happens to it.
func (a *Answer) due() bool {
	for _, at := range []*int{a.do.Stall, a.do.Cut, a.do.Reset, a.do.Crash, a.do.OOM} {
		if at != nil && a.sent >= *at {
			return true
		}
	}
	return false
}

// place does what is to happen at this place of a stream. A stall comes first: it is over, or the client gone, before an end.
func (a *Answer) place() error {
	if !a.due() {
		return nil
	}
	if at := a.do.Stall; at != nil && a.sent >= *at {
		a.do.Stall = nil
		if err := a.stall(); err != nil {
			return err
		}
	}
	reached := func(at *int) bool { return at != nil && a.sent >= *at }
	switch {
	case reached(a.do.Cut):
		return a.end(false)
	case reached(a.do.Reset):
		return a.end(true)
	case reached(a.do.Crash) || reached(a.do.OOM):
		death := a.do.Death()
		a.do.Crash, a.do.OOM = nil, nil
		a.means.Die(death) // the handler finds out
	}
	return nil
}

func (a *Answer) stall() error {
	d := time.Duration(a.do.StallFor)
	if d == 0 {
		d = -1
	}
	if !a.means.Sleep(d) {
		return ErrBroken
	}
	return nil
}

// send writes bytes as they are to be split and paced.
func (a *Answer) send(p []byte) error {
	size := len(p)
	if a.do.Trickle != 0 {
		size = max(1, a.do.Trickle/trickles)
	}
	if a.do.Split != 0 {
		size = min(size, a.do.Split)
	}
	for len(p) > 0 {
		n := min(size, len(p))
		if _, err := a.w.Write(p[:n]); err != nil {
			return err
		}
		if err := a.rc.Flush(); err != nil {
			return err
		}
		p = p[n:]
		if a.do.Trickle != 0 && !a.means.Sleep(time.Duration(n)*time.Second/time.Duration(a.do.Trickle)) {
			return ErrBroken
		}
	}
	return nil
}

// trickles is how many pieces a second a trickle has, when it has as many bytes.
const trickles = 20

// end closes the connection, with a reset if asked for.
func (a *Answer) end(reset bool) error {
	a.broken = true
	conn, _, err := a.rc.Hijack()
	if err != nil {
		return errors.Join(ErrBroken, err)
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0) // closing then resets; that it cannot be set shows in what the client sees
	}
	return errors.Join(ErrBroken, conn.Close())
}

// Package load sends requests to a gateway in a closed loop, each connection the next one when it has the answer, and takes
// the time of everything that it sees. Its client is written by hand, so that it costs little and always the same.
package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Options are one run.
type Options struct {
	Addr        string        `json:"addr"`
	Path        string        `json:"path"`
	Headers     []string      `json:"headers"` // "Name: value"
	Model       string        `json:"model"`
	Stream      bool          `json:"stream"`
	Connections int           `json:"connections"`
	Duration    time.Duration `json:"duration_ns"` // after it no request is started; those under way may take Patience more
	Ramp        time.Duration `json:"ramp_ns"`     // over which the connections start
	Pause       time.Duration `json:"pause_ns"`    // of a connection between two requests
	Idle        int           `json:"idle"`        // connections that each make one request for IdlePath before and one after, and nothing between
	IdlePath    string        `json:"idle_path"`
}

// Patience is how long the requests under way may take when the time is over.
const Patience = 10 * time.Second

// Result is what a run has seen. Times are in µs.
type Result struct {
	Seconds    float64        `json:"seconds"`
	Finished   int64          `json:"finished"`   // whole answers
	Unfinished int64          `json:"unfinished"` // not whole when Patience was over
	Failures   map[string]int `json:"failures,omitempty"`
	Events     int64          `json:"events"` // of streams, without [DONE]
	Latency    Percentiles    `json:"latency"`
	FirstEvent Percentiles    `json:"first_event"`
	Gap        Percentiles    `json:"gap"` // between two events of a stream
	IdleOpened int            `json:"idle_opened"`
	IdleLost   int            `json:"idle_lost"` // of these, those that were closed before the second request
}

// Failed is the number of requests that ended otherwise than they should.
func (r Result) Failed() (n int64) {
	for _, times := range r.Failures {
		n += int64(times)
	}
	return n + r.Unfinished
}

// run is a run under way.
type run struct {
	Options
	request []byte
	end     time.Time

	mu     sync.Mutex
	result Result
	latency, firstEvent,
	gap *samples
}

// Run makes the requests and returns when all are over.
func Run(ctx context.Context, o Options) (Result, error) {
	runtime.GOMAXPROCS(1) // it has one core, which it shares
	l := &run{Options: o, request: newRequest(o), latency: newSamples(), firstEvent: newSamples(), gap: newSamples()}
	l.result.Failures = map[string]int{}
	idle, err := l.openIdle(ctx)
	if err != nil {
		return Result{}, err
	}
	start := time.Now()
	l.end = start.Add(o.Duration)
	var workers sync.WaitGroup
	for i := range o.Connections {
		workers.Go(func() {
			select {
			case <-time.After(o.Ramp * time.Duration(i) / time.Duration(o.Connections)):
				l.work(ctx)
			case <-ctx.Done():
			}
		})
	}
	workers.Wait()
	l.result.Seconds = time.Since(start).Seconds()
	l.closeIdle(idle)
	l.result.Latency, l.result.FirstEvent, l.result.Gap = l.latency.percentiles(), l.firstEvent.percentiles(), l.gap.percentiles()
	return l.result, ctx.Err()
}

// work is one connection.
func (l *run) work(ctx context.Context) {
	var c *conn
	for ctx.Err() == nil && time.Now().Before(l.end) {
		if c == nil {
			var err error
			if c, err = dial(ctx, l.Addr, l.end.Add(Patience)); err != nil {
				l.failed(err)
				continue
			}
		}
		again, err := l.ask(c)
		if err != nil {
			l.failed(err)
		}
		if err != nil || !again {
			_ = c.Close()
			c = nil
		}
		time.Sleep(l.Pause)
	}
	if c != nil {
		_ = c.Close()
	}
}

// failed notes a failure, and bounds how many a second there can be.
func (l *run) failed(err error) {
	l.mu.Lock()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		l.result.Unfinished++
	} else {
		l.result.Failures[reason(err)]++
	}
	l.mu.Unlock()
	time.Sleep(2 * time.Millisecond)
}

// reason is an error without what differs from connection to connection.
func reason(err error) string {
	text := err.Error()
	return text[strings.LastIndex(text, "->")+1:]
}

// ask makes one request and tells whether the connection can be used again.
func (l *run) ask(c *conn) (again bool, err error) {
	begin := time.Now()
	if _, err := c.Write(l.request); err != nil {
		return false, err
	}
	h, err := c.head()
	if err != nil {
		return false, err
	}
	if h.status != 200 {
		return false, fmt.Errorf("status %d", h.status)
	}
	if l.Stream {
		err = l.readStream(c, h, begin)
	} else {
		err = c.discard(h)
	}
	if err != nil {
		return false, err
	}
	took := time.Since(begin)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latency.add(took)
	l.result.Finished++
	return !h.last, nil
}

// readStream takes the time of every event.
func (l *run) readStream(c *conn, h head, begin time.Time) error {
	var before time.Time
	done := false
	err := c.lines(h, func(line []byte) error {
		data, ok := strings.CutPrefix(string(line), "data: ")
		switch {
		case !ok:
			return nil
		case data == "[DONE]":
			done = true
			return nil
		case strings.HasPrefix(data, `{"error"`):
			return errors.New("error event")
		}
		now := time.Now()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.result.Events++
		if before.IsZero() {
			l.firstEvent.add(now.Sub(begin))
		} else {
			l.gap.add(now.Sub(before))
		}
		before = now
		return nil
	})
	if err == nil && !done {
		err = errors.New("stream without [DONE]")
	}
	return err
}

package loadtest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/client"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/result"
)

// driver sends the requests of one run.
type driver struct {
	*Plan
	phases    phases
	client    *client.Client
	collector *result.Collector
	start     time.Time
	run       string // the ids of its requests begin with it
	inflight  atomic.Int64

	writing sync.Mutex
	samples *json.Encoder // nil when nobody wants them

	mu     sync.Mutex
	broken error // the first failure that is no request's
}

// drive returns once every request that was sent has ended. It sends no more once ctx has ended, and cuts those in flight.
func (d *driver) drive(ctx context.Context) error {
	if d.arrivals == nil {
		d.closed(ctx)
	} else {
		d.open(ctx)
	}
	return d.broken
}

// closed keeps Concurrency requests in flight: each worker sends its next one once it has an answer.
func (d *driver) closed(ctx context.Context) {
	var workers sync.WaitGroup
	for range d.workers() {
		workers.Go(func() {
			for ctx.Err() == nil {
				now := time.Since(d.start)
				t, ok := d.phases.next(now)
				if !ok {
					return
				}
				if outcome := d.send(ctx, t, now, nil); slices.Contains(away, outcome) {
					pause(ctx)
				}
			}
		})
	}
	workers.Wait()
}

// workers is no more than there are requests for.
func (d *driver) workers() int {
	if d.Requests > 0 && d.warmupTime == 0 {
		return min(d.Concurrency, d.warmupRequests+d.Requests)
	}
	return d.Concurrency
}

// away are the outcomes that come at once, as often as one asks, until the server is there again or has room.
var away = []client.Outcome{client.Connect, client.Disconnected, client.ClientLimit, "http_429", "http_502", "http_503"}

// pause keeps a worker from counting thousands of failures meanwhile.
func pause(ctx context.Context) {
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// open sends each request when the plan says so, whatever became of those before it. With a limit of requests in flight it
// waits for a place, and the times from the schedule show how long. Those that were planned and for which there was no place
// before the end of the run are counted.
func (d *driver) open(ctx context.Context) {
	var requests sync.WaitGroup
	defer requests.Wait()
	places := newPlaces(d.Concurrency)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ended := false; ; {
		due := d.arrivals.Next()
		t, ok := d.phases.next(due)
		if !ok {
			return
		}
		if !ended {
			timer.Reset(time.Until(d.start.Add(due)))
			select {
			case <-timer.C:
			case <-ctx.Done():
				return
			}
			ended = !places.take(ctx) || d.phases.over(time.Since(d.start))
		}
		if ended {
			if ctx.Err() != nil && due > time.Since(d.start) {
				return
			}
			d.collector.Unsent()
			continue
		}
		possible := d.start.Add(due)
		if places.since.After(possible) {
			possible = places.since
		}
		requests.Go(func() {
			d.send(ctx, t, due, &possible)
			places.leave()
		})
	}
}

// send sends one request, which is due so long after the start, and hands on what came of it. possible is when an open loop
// could have sent it.
func (d *driver) send(ctx context.Context, t turn, due time.Duration, possible *time.Time) client.Outcome {
	body, err := d.source.Body(d.Model, t.number)
	if err != nil {
		d.fail(err)
		return client.Cut
	}
	d.inflight.Add(1)
	s := d.client.Send(ctx, fmt.Sprintf("%s-%d", d.run, t.number), body)
	d.inflight.Add(-1)
	s.Scheduled = s.Sent
	if possible != nil {
		s.Scheduled = d.start.Add(due)
		if !t.warmup {
			d.collector.Lagged(s.Sent.Sub(*possible))
		}
	}
	d.collector.Add(s, t.warmup)
	d.write(s, t.warmup)
	return s.Outcome
}

func (d *driver) write(s *client.Sample, warmup bool) {
	d.writing.Lock()
	defer d.writing.Unlock()
	if d.samples == nil {
		return
	}
	if err := d.samples.Encode(newLine(s, warmup)); err != nil {
		d.samples = nil // the run goes on; its report is worth having
		d.fail(fmt.Errorf("--samples: %w", err))
	}
}

func (d *driver) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken == nil {
		d.broken = err
	}
}

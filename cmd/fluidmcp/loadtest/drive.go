package loadtest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/client"
	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/result"
)

// driver sends the requests of one run.
type driver struct {
	*plan
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
	for range d.Concurrency {
		workers.Go(func() {
			for ctx.Err() == nil {
				t, ok := d.phases.next(time.Since(d.start))
				if !ok {
					return
				}
				d.send(ctx, t, time.Time{})
			}
		})
	}
	workers.Wait()
}

// open sends each request when the plan says so, whatever became of those before it. With a limit of requests in flight it
// waits for a place, and the times from the schedule show how long.
func (d *driver) open(ctx context.Context) {
	var requests sync.WaitGroup
	defer requests.Wait()
	places := newPlaces(d.Concurrency)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		due := d.arrivals.Next()
		t, ok := d.phases.next(due)
		if !ok {
			return
		}
		scheduled := d.start.Add(due)
		timer.Reset(time.Until(scheduled))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		if !places.take(ctx) {
			return
		}
		possible := scheduled
		if waited := places.since; waited.After(possible) {
			possible = waited
		}
		requests.Go(func() {
			d.collector.Lagged(time.Since(possible))
			d.send(ctx, t, scheduled)
			places.leave()
		})
	}
}

// send sends one request and hands on what came of it. Without a schedule the request is due when it is sent.
func (d *driver) send(ctx context.Context, t turn, scheduled time.Time) {
	body, err := d.source.Body(t.number)
	if err != nil {
		d.fail(err)
		return
	}
	d.inflight.Add(1)
	s := d.client.Send(ctx, fmt.Sprintf("%s-%d", d.run, t.number), body)
	d.inflight.Add(-1)
	if s.Scheduled = scheduled; scheduled.IsZero() {
		s.Scheduled = s.Sent
	}
	d.collector.Add(s, t.warmup)
	if d.samples == nil {
		return
	}
	d.writing.Lock()
	defer d.writing.Unlock()
	if err := d.samples.Encode(newLine(s, t.warmup)); err != nil {
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

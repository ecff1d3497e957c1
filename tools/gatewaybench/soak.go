package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/load"
	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/rows"
)

// soakInterval is between two events of a stream: slow enough for half an hour beside other work on two cores.
const soakInterval = 100 * time.Millisecond

// soak keeps one gateway busy with paced streams and prints every ten seconds how much memory it has.
func (b *bench) soak(ctx context.Context, r rows.Row, length time.Duration, stdout io.Writer) error {
	if why := r.Missing(b.places); why != "" {
		return fmt.Errorf("%s: %s", r.Name, why)
	}
	var err error
	if b.model, err = b.startUpstream(ctx); err != nil {
		return err
	}
	defer b.model.Stop()
	g, err := b.startGateway(ctx, r)
	if err != nil {
		return err
	}
	defer g.stop()
	if err := b.set(ctx, soakInterval, 0); err != nil {
		return err
	}
	ended := make(chan struct{})
	var c cost
	go func() {
		defer close(ended)
		c, err = b.load(ctx, g, load.Options{Connections: b.streams, Duration: length, Ramp: ramp, Stream: true})
	}()
	fmt.Fprintf(stdout, "%s, %d streams\n%8s %8s\n", r.Name, b.streams, "s", "RSS MB")
	begin := time.Now()
	for running := true; running; {
		if now, err := g.Used(); err == nil {
			fmt.Fprintf(stdout, "%8.0f %8.1f\n", time.Since(begin).Seconds(), float64(now.Bytes)/1e6)
		}
		select {
		case <-ended:
			running = false
		case <-time.After(10 * time.Second):
		}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d streams, %d failed, longest gap %.0f ms, %.1f µs of CPU a chunk, most memory %.1f MB\n",
		c.Finished, c.Failed(), c.Gap.Max/1e3, c.cpu*1e6/float64(max(1, c.Events)), float64(c.peak)/1e6)
	return nil
}

package loadtest

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/result"
)

// live rewrites one line on a terminal, if there is one, until the function that it returns is called.
func (d *driver) live(terminal io.Writer) (stop func()) {
	if terminal == nil {
		return func() {}
	}
	over := make(chan struct{})
	var shown sync.WaitGroup
	shown.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprint(terminal, "\r\x1b[K\x1b[?7l"+d.progressLine(time.Since(d.start))+"\x1b[?7h") // a narrow terminal cuts it off
			case <-over:
				fmt.Fprint(terminal, "\r\x1b[K")
				return
			}
		}
	})
	return func() {
		close(over)
		shown.Wait()
	}
}

func (d *driver) progressLine(elapsed time.Duration) string {
	p := d.collector.Progress()
	done := p.OK + p.Failed
	goal := fmt.Sprintf("%d", done)
	if d.Requests > 0 {
		goal = fmt.Sprintf("%d/%d", done, d.Requests)
	}
	if done == 0 && p.Warmup > 0 {
		goal = fmt.Sprintf("warm-up %d", p.Warmup)
	}
	text := fmt.Sprintf("%s  %s done, %d in flight, %d failed", elapsed.Round(time.Second), goal, d.inflight.Load(), p.Failed)
	brief := func(name string, d result.Brief) {
		if d.P99 > 0 {
			text += fmt.Sprintf(", %s %.0f ms (p99 %.0f)", name, d.P50, d.P99)
		}
	}
	brief("TTFT", p.TTFT)
	brief("E2E", p.E2E)
	return text
}

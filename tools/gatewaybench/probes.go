package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"time"

	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/report"
	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/upstream"
)

const (
	patience = 10 * time.Second
	unheard  = "never: it answered to the end"
)

// probes ends requests before their time. A probe that fails says so in its result: that is one as well.
func (b *bench) probes(ctx context.Context, g *server, v *report.Visit) error {
	if err := g.Await(ctx, 6*patience, g.ask); err != nil { // it may still be busy with what the last run left
		return err
	}
	say := func(to *string, probe func(context.Context, *server) (string, error)) {
		ctx, cancel := context.WithTimeout(ctx, 3*patience)
		defer cancel()
		var err error
		if *to, err = probe(ctx, g); err != nil {
			*to = "probe failed: " + err.Error()
		}
	}
	say(&v.Probes.LeftPlain, func(ctx context.Context, g *server) (string, error) { return b.leave(ctx, g, false) })
	say(&v.Probes.LeftStream, func(ctx context.Context, g *server) (string, error) { return b.leave(ctx, g, true) })
	say(&v.Probes.NextRequest, b.manyLeave)
	if len(g.row.Command) > 0 { // without a gateway there is nobody who could tell
		say(&v.Probes.Killed, b.kill)
		var err error
		v.Probes.Back, err = b.restart(ctx, g)
		return err
	}
	return nil
}

// leave has a client go away and tells when the upstream noticed.
func (b *bench) leave(ctx context.Context, g *server, stream bool) (string, error) {
	pace, delay := 50*time.Millisecond, time.Duration(0)
	if !stream {
		pace, delay = 0, 3*time.Second
	}
	if err := b.set(ctx, pace, delay); err != nil {
		return "", err
	}
	before, err := b.state(ctx)
	if err != nil {
		return "", err
	}
	asking, leave := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		resp, err := g.send(asking, stream)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		ended <- err
	}()
	_, err = b.until(ctx, func(s upstream.State) bool { return s.Started > before.Started })
	time.Sleep(300 * time.Millisecond) // it is waited for the answer, or some events came
	left := time.Now()
	leave()
	<-ended //nolint:errcheck // it was broken off
	if err != nil {
		return "", fmt.Errorf("the request did not reach the upstream: %w", err)
	}
	after, err := b.until(ctx, func(s upstream.State) bool { return s.Left > before.Left || s.Finished > before.Finished })
	if err != nil {
		return "", err
	}
	if after.Left == before.Left {
		return unheard, nil
	}
	return fmt.Sprintf("%.1f ms", float64(after.LeftAt-left.UnixMicro())/1e3), nil
}

// manyLeave finds out whether clients that leave make a gateway believe that the backend is broken.
func (b *bench) manyLeave(ctx context.Context, g *server) (string, error) {
	const clients = 20
	if err := b.set(ctx, 0, 2*time.Second); err != nil {
		return "", err
	}
	before, err := b.state(ctx)
	if err != nil {
		return "", err
	}
	asking, leave := context.WithCancel(ctx)
	defer leave()
	ended := make(chan struct{}, clients)
	for range clients {
		go func() {
			if resp, err := g.send(asking, false); err == nil {
				_ = resp.Body.Close()
			}
			ended <- struct{}{}
		}()
	}
	_, err = b.until(ctx, func(s upstream.State) bool { return s.Started >= before.Started+clients })
	leave()
	for range clients {
		<-ended
	}
	if failed := b.set(ctx, 0, 0); failed != nil || err != nil {
		return "", errors.Join(failed, err)
	}
	status, err := g.ask(ctx)
	return fmt.Sprint(status), err
}

// kill ends the upstream in the middle of a stream.
func (b *bench) kill(ctx context.Context, g *server) (string, error) {
	if err := b.set(ctx, 100*time.Millisecond, 0); err != nil {
		return "", err
	}
	resp, err := g.send(ctx, true)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var got []byte
	for bytes.Count(got, []byte("data: ")) < 5 {
		more := make([]byte, 4<<10)
		n, err := resp.Body.Read(more)
		if err != nil {
			return "", fmt.Errorf("the stream ended early: %w", err)
		}
		got = append(got, more[:n]...)
	}
	b.model.Signal(syscall.SIGKILL)
	<-b.model.Ended
	at := time.Now()
	rest, err := io.ReadAll(resp.Body)
	return fmt.Sprintf("%s after %d ms", ending(rest, err), time.Since(at).Milliseconds()), nil
}

// ending says how a broken stream looks to its client.
func ending(rest []byte, err error) string {
	switch {
	case bytes.Contains(rest, []byte(`"error"`)):
		return "an error event"
	case errors.Is(err, context.DeadlineExceeded):
		return "nothing: it hangs"
	case err != nil:
		return "a broken transfer"
	case bytes.Contains(rest, []byte("[DONE]")):
		return "[DONE]: it looks complete"
	}
	return "an end: it looks complete"
}

// restart starts the upstream again and tells how long the gateway takes to use it, in ms.
func (b *bench) restart(ctx context.Context, g *server) (float64, error) {
	b.model.Stop() // a probe that failed early has not killed it
	var err error
	if b.model, err = b.startUpstream(ctx); err != nil {
		return 0, err
	}
	begin := time.Now()
	err = g.Await(ctx, 60*time.Second, g.ask)
	return float64(time.Since(begin).Microseconds()) / 1e3, err
}

func (b *bench) state(ctx context.Context) (s upstream.State, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+b.places.Upstream+"/state", nil)
	if err != nil {
		return s, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	return s, json.NewDecoder(resp.Body).Decode(&s)
}

// until asks for the upstream's state until it is as wanted.
func (b *bench) until(ctx context.Context, wanted func(upstream.State) bool) (upstream.State, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		s, err := b.state(ctx)
		if err != nil || wanted(s) {
			return s, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

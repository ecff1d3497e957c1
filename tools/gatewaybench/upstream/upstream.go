// Package upstream is the model server behind every gateway of the benchmark. It writes HTTP/1.1 by hand, so that it costs
// little and always the same: 1 KB of chat completion, or 64 events, each its own chunk and its own write as vLLM sends them.
package upstream

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Events is how many events a stream has before [DONE].
const Events = 64

// State is what the server has seen since it started, as GET /state tells it.
type State struct {
	Started  int64 `json:"started"`  // completions that arrived
	Finished int64 `json:"finished"` // of these, answered to the end
	Left     int64 `json:"left"`     // of these, given up because the connection was closed
	LeftAt   int64 `json:"left_at"`  // when that happened last, in µs since 1970
}

// Server answers as a model server would.
type Server struct {
	interval, delay                 atomic.Int64 // between two events, and before any answer, in ns
	started, finished, left, leftAt atomic.Int64
}

// Serve answers on ln until ctx ends, and waits for its connections.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var conns sync.WaitGroup
	defer conns.Wait()
	defer context.AfterFunc(ctx, func() { _ = ln.Close() })()
	for {
		c, err := ln.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		conns.Go(func() {
			defer c.Close()
			defer context.AfterFunc(ctx, func() { _ = c.Close() })()
			s.converse(c)
		})
	}
}

// converse answers the requests of one connection. An error means that the other side is gone.
func (s *Server) converse(c net.Conn) {
	in := bufio.NewReaderSize(c, 8<<10)
	var body []byte
	for {
		req, err := readRequest(in, &body)
		if err != nil {
			return
		}
		if req.path != "/v1/chat/completions" {
			_, err = c.Write(s.other(req.path))
		} else {
			err = s.complete(c, in, req.stream)
		}
		if err != nil || req.last {
			return
		}
	}
}

// complete answers one completion. What takes time is written by a second goroutine, while the first watches whether the
// client is still there: the connection has nothing to read before the answer is over, unless it is closed.
func (s *Server) complete(c net.Conn, in *bufio.Reader, stream bool) error {
	s.started.Add(1)
	if !stream && s.delay.Load() == 0 {
		s.finished.Add(1)
		_, err := c.Write(plain)
		return err
	}
	gone := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		err := s.write(c, stream, gone)
		if err == nil {
			s.finished.Add(1)
		}
		ended <- err
	}()
	_, err := in.Peek(1)
	at := time.Now()
	if err != nil {
		close(gone)
	}
	if failed := <-ended; failed != nil {
		s.leftAt.Store(at.UnixMicro())
		s.left.Add(1)
		return failed
	}
	return err
}

// write sends the answer at its pace, which is absolute: a late event does not delay the next.
func (s *Server) write(c net.Conn, stream bool, gone <-chan struct{}) error {
	due := time.Now().Add(time.Duration(s.delay.Load()))
	wait := time.NewTimer(time.Until(due))
	defer wait.Stop()
	pause := func() error {
		select {
		case <-wait.C:
			return nil
		case <-gone:
			return net.ErrClosed
		}
	}
	if err := pause(); err != nil {
		return err
	}
	if !stream {
		_, err := c.Write(plain)
		return err
	}
	if _, err := c.Write(streamHead); err != nil {
		return err
	}
	interval := time.Duration(s.interval.Load())
	for i := range Events {
		if i > 0 && interval > 0 {
			due = due.Add(interval)
			wait.Reset(time.Until(due))
			if err := pause(); err != nil {
				return err
			}
		}
		if _, err := c.Write(event(i)); err != nil {
			return err
		}
	}
	_, err := c.Write(streamEnd)
	return err
}

// other answers everything that is not a completion: what gateways look at before they send requests, and /set and /state.
func (s *Server) other(target string) []byte {
	where, err := url.Parse(target)
	if err != nil {
		return answer(400, "text/plain", nil)
	}
	switch where.Path {
	case "/set":
		s.interval.Store(milliseconds(where, "interval_ms"))
		s.delay.Store(milliseconds(where, "delay_ms"))
		return answer(200, "text/plain", nil)
	case "/state":
		state, _ := json.Marshal(State{s.started.Load(), s.finished.Load(), s.left.Load(), s.leftAt.Load()}) // numbers always marshal
		return answer(200, "application/json", state)
	case "/health", "/metrics":
		return answer(200, "text/plain", nil)
	case "/v1/models":
		return answer(200, "application/json", []byte(`{"object":"list","data":[{"id":"bench","object":"model","created":1,"owned_by":"bench"}]}`))
	}
	return answer(404, "text/plain", nil)
}

// milliseconds reads a number of milliseconds as nanoseconds; without one it is 0.
func milliseconds(where *url.URL, name string) int64 {
	n, _ := strconv.ParseInt(where.Query().Get(name), 10, 32)
	return n * int64(time.Millisecond)
}

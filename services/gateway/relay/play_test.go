package relay_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/gateway/relay"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

// piece is something that a backend sends, after a pause.
type piece struct {
	after time.Duration
	text  string
	err   error // ends the body, io.EOF included
}

// script is a body that comes piece by piece. It ends with its context, as a connection does.
type script struct {
	ctx    context.Context
	pieces []piece
	rest   string
	closed bool
}

func (s *script) Read(b []byte) (int, error) {
	for s.rest == "" {
		if len(s.pieces) == 0 {
			<-s.ctx.Done()
			return 0, context.Cause(s.ctx)
		}
		next := s.pieces[0]
		s.pieces = s.pieces[1:]
		select {
		case <-s.ctx.Done():
			return 0, context.Cause(s.ctx)
		case <-time.After(next.after):
		}
		if next.err != nil {
			return 0, next.err
		}
		s.rest = next.text
	}
	n := copy(b, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *script) Close() error { s.closed = true; return nil }

// meter notes when tokens came.
type meter struct {
	start time.Time
	first time.Duration
	gaps  []time.Duration
}

func (m *meter) FirstToken()                 { m.first = time.Since(m.start) }
func (m *meter) NextToken(gap time.Duration) { m.gaps = append(m.gaps, gap) }

// store is memory for answers, of which there is some left.
type store struct{ left int64 }

func (s *store) Take(n int64) bool {
	if n > s.left {
		return false
	}
	s.left -= n
	return true
}

func (s *store) Give(n int64) { s.left += n }

// run is one answer on its way through the relay, on fake time.
type run struct {
	recorder *httptest.ResponseRecorder
	answer   *relay.Answer
	result   relay.Result
	err      error // of Receive
	meter    meter
	memory   store
	took     time.Duration
	body     *script
}

func play(t *testing.T, contentType string, change func(*relay.Options), pieces ...piece) *run {
	return playInto(t, contentType, false, change, pieces...)
}

// playInto plays into a response that has begun already, or not.
func playInto(t *testing.T, contentType string, begun bool, change func(*relay.Options), pieces ...piece) *run {
	ctx, patience := new(upstream.Watches).WithPatience(t.Context(), 10*time.Second, 0)
	defer patience.Stop()
	r := &run{recorder: httptest.NewRecorder(), meter: meter{start: time.Now()}, memory: store{left: room}, body: &script{ctx: ctx, pieces: pieces}}
	opts := relay.Options{End: relay.EndDone, Idle: 5 * time.Second, Patience: patience, Memory: &r.memory, Meter: &r.meter, Cause: func() error {
		var timeout *upstream.TimeoutError
		if errors.As(context.Cause(ctx), &timeout) {
			return timeout
		}
		return nil
	}}
	if change != nil {
		change(&opts)
	}
	resp := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {contentType}}, ContentLength: -1, Body: r.body, Request: &http.Request{Method: "POST"}}
	r.answer, r.err = relay.Receive(resp, opts)
	if r.err == nil {
		r.result = r.answer.Send(r.recorder, begun)
		if err := r.answer.Close(); err != nil {
			t.Error(err)
		}
	}
	r.took = time.Since(r.meter.start)
	if r.memory.left != room {
		t.Errorf("%d bytes of memory were not given back", room-r.memory.left)
	}
	return r
}

// room is the memory of each run.
const room = 16 << 20

const events = "text/event-stream; charset=utf-8"

func token(text string) string {
	return fmt.Sprintf("data: {\"choices\":[{\"delta\":{\"content\":%q}}]}\n\n", text)
}

const done = "data: [DONE]\n\n"

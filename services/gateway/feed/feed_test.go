package feed_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/feed"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// supervisor is one at the other end of an http.RoundTripper, so that time in it is that of the test.
type supervisor struct {
	mu    sync.Mutex
	out   *io.PipeWriter // of the feed; nil while it cannot be reached
	up    bool
	beats []fleet.Heartbeat
	left  int
}

func (s *supervisor) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.up {
		return nil, errors.New("refused")
	}
	answer := &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: r}
	switch r.Method {
	case http.MethodGet:
		in, out := io.Pipe()
		s.out = out
		context.AfterFunc(r.Context(), func() { _ = in.CloseWithError(r.Context().Err()) })
		answer.StatusCode, answer.Body = http.StatusOK, in
	case http.MethodPost:
		var hb fleet.Heartbeat
		if err := json.NewDecoder(r.Body).Decode(&hb); err != nil {
			return nil, err
		}
		s.beats = append(s.beats, hb)
	case http.MethodDelete:
		s.left++
	}
	return answer, nil
}

// say sends a snapshot, or a comment.
func (s *supervisor) say(t *testing.T, revision uint64, models ...fleet.Model) {
	t.Helper()
	data, err := json.Marshal(fleet.Snapshot{Epoch: "e", Revision: revision, Models: models})
	require.NoError(t, err)
	s.mu.Lock()
	out := s.out
	s.mu.Unlock()
	_, err = out.Write(append(append([]byte("data: "), data...), "\n\n"...))
	require.NoError(t, err)
	synctest.Wait()
}

// lose breaks the feed, and nobody can connect until reach.
func (s *supervisor) lose() {
	s.mu.Lock()
	s.up = false
	s.mu.Unlock()
	s.out.Close()
	synctest.Wait()
}

func (s *supervisor) reach(up bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up = up
}

// told is how many heartbeats came since it was asked last, and the last of them.
func (s *supervisor) told() (int, fleet.Heartbeat) {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.beats)
	if n == 0 {
		return 0, fleet.Heartbeat{}
	}
	last := s.beats[n-1]
	s.beats = nil
	return n, last
}

// follow runs a feed in a bubble of its own time.
func follow(t *testing.T, test func(s *supervisor, f *feed.Feed, r *routing.Router, wanted chan<- struct{}, logs *observer.ObservedLogs, stop func())) {
	synctest.Test(t, func(t *testing.T) {
		s, r, wanted := &supervisor{}, routing.NewRouter(), make(chan struct{}, 1)
		core, logs := observer.New(zap.InfoLevel)
		f := feed.New(feed.Deps{Client: &fleet.Client{URL: "http://supervisor", HTTP: &http.Client{Transport: s}}, ID: "g", Router: r,
			Changed: func(*routing.Table) {}, Demand: func() feed.Demand { return feed.Demand{Queued: map[string]int{"m": 2}} }, Wanted: wanted, Log: zap.New(core)})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { f.Follow(ctx) })
		running.Go(func() { f.Beat(ctx) })
		test(s, f, r, wanted, logs, func() { cancel(); running.Wait() })
		cancel()
		running.Wait()
	})
}

// TestBeats: the supervisor hears at once of what it waits for, and once a second otherwise.
func TestBeats(t *testing.T) {
	follow(t, func(s *supervisor, f *feed.Feed, r *routing.Router, wanted chan<- struct{}, _ *observer.ObservedLogs, stop func()) {
		s.reach(true)
		time.Sleep(10*time.Second + time.Millisecond) // it was tried again and again, and is connected by now
		if n, _ := s.told(); n != 0 || f.Connected() {
			t.Errorf("%d heartbeats without a snapshot", n)
		}
		news := f.News()
		m := fleet.Model{ID: "m", Backends: []fleet.Backend{{ID: "m-0", URL: "http://127.0.0.1:1", Routable: true}}}
		s.say(t, 7, m)
		<-news
		if n, hb := s.told(); n != 1 || hb.Epoch != "e" || hb.Revision != 7 || hb.Queued["m"] != 2 {
			t.Errorf("after a snapshot: %d, %+v", n, hb)
		}
		lease, ok := r.Acquire("m", routing.Request{})
		if !ok {
			t.Fatal("no backend")
		}
		m.Backends[0].Routable = false
		s.say(t, 8, m)
		if n, hb := s.told(); n != 1 || hb.Revision != 8 || hb.Inflight["m-0"] != 1 {
			t.Errorf("a drain begins: %d, %+v", n, hb)
		}
		lease.Release()
		if n, hb := s.told(); n != 1 || hb.Inflight["m-0"] != 0 {
			t.Errorf("the drain is over: %d, %+v", n, hb)
		}
		wanted <- struct{}{}
		if n, _ := s.told(); n != 1 {
			t.Errorf("a model is wanted: %d", n)
		}
		time.Sleep(4 * time.Second)
		if n, _ := s.told(); n != 4 {
			t.Errorf("%d heartbeats in four quiet seconds", n)
		}
		stop()
		if s.left != 1 {
			t.Errorf("it took leave %d times", s.left)
		}
	})
}

// TestLost: a supervisor that is gone is told of once, and for how long; nobody is sent heartbeats or taken leave of.
func TestLost(t *testing.T) {
	follow(t, func(s *supervisor, f *feed.Feed, r *routing.Router, _ chan<- struct{}, logs *observer.ObservedLogs, stop func()) {
		warned := func(want int) {
			t.Helper()
			if n := logs.FilterMessageSnippet("no feed").Len(); n != want {
				t.Errorf("told %d times that the feed is lost, want %d", n, want)
			}
		}
		time.Sleep(30 * time.Second)
		warned(1)
		if f.Age() == 0 || f.Connected() {
			t.Errorf("never connected: age %s", f.Age())
		}
		s.reach(true)
		time.Sleep(3*time.Second + time.Millisecond) // between two of the beats that come each second
		s.say(t, 1, fleet.Model{ID: "m"})
		if f.Age() != 0 || !f.Connected() {
			t.Errorf("connected: age %s", f.Age())
		}
		s.lose()
		time.Sleep(20 * time.Second)
		warned(2)
		if f.Age() != 20*time.Second || f.Connected() || r.Table().Revision != 1 {
			t.Errorf("lost: age %s, connected %t, revision %d", f.Age(), f.Connected(), r.Table().Revision)
		}
		if n, _ := s.told(); n != 1 {
			t.Errorf("%d heartbeats, want that of the snapshot", n)
		}
		stop()
		if s.left != 0 {
			t.Error("it took leave of nobody")
		}
	})
}

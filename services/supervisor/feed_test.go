package supervisor_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor"
)

// TestFeedIsWholeAndInOrder follows a restart in the feed: each snapshot has every model, and revisions only grow.
func TestFeedIsWholeAndInOrder(t *testing.T) {
	s := run(t, quick(), parse(t, `"a": {`+fake(freePort(t), "")+`}`, `"b": {`+fake(freePort(t), "")+`}`))
	feed := s.watch()
	var last fleet.Snapshot
	ready := func(now fleet.Snapshot) bool {
		if last.Epoch != "" && (now.Epoch != last.Epoch || now.Revision <= last.Revision) {
			t.Errorf("revision %d of %s after %d of %s", now.Revision, now.Epoch, last.Revision, last.Epoch)
		}
		if len(now.Models) != 2 || now.Models[0].ID != "a" || now.Models[1].ID != "b" {
			t.Errorf("not the whole fleet: %+v", now.Models)
		}
		for _, m := range now.Models {
			if routable := m.Backends[0].Routable; routable != (m.Phase == fleet.Ready) {
				t.Errorf("%s is %s, routable: %t", m.ID, m.Phase, routable)
			}
		}
		last = now
		return find(now, "a").Phase == fleet.Ready && find(now, "b").Phase == fleet.Ready
	}
	until(t, feed, "two models", ready)
	s.do(http.MethodPost, "/api/llm/models/a/restart?force=true", "")
	until(t, feed, "the restart", func(now fleet.Snapshot) bool { return ready(now) && s.model("a").Restarts == 1 })
}

// TestFeedSpeaksAtOnce reads the raw stream: a gateway that connects late gets the present state without a change.
func TestFeedSpeaksAtOnce(t *testing.T) {
	s := run(t, quick(), parse(t, `"a": {`+fake(freePort(t), "")+`}`))
	phase(t, s.watch(), "a", fleet.Ready)
	resp, err := s.client.Get(s.url + "/v1/fleet?watch=1")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if ct := resp.Header.Get("Content-Type"); ct != "text/event-stream" {
		t.Errorf("content type %s", ct)
	}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			if m := find(decode[fleet.Snapshot](t, data), "a"); m.Phase != fleet.Ready {
				t.Errorf("the first snapshot says %+v", m)
			}
			return
		}
	}
	t.Errorf("no snapshot: %v", lines.Err())
}

func TestHeadIsAnsweredLikeGet(t *testing.T) {
	s := run(t, quick(), parse(t, external("http://localhost:1")))
	phase(t, s.watch(), "org/partner", fleet.Starting)
	for _, path := range []string{"/health", "/v1/fleet", "/v1/fleet?watch=1", "/api/llm/models"} {
		if status, body := s.do(http.MethodHead, path, ""); status != http.StatusOK || body != "" {
			t.Errorf("HEAD %s: %d %q", path, status, body)
		}
	}
}

func TestRunFailsCleanly(t *testing.T) {
	start := func(t *testing.T) (*supervisor.Supervisor, net.Listener) {
		t.Helper()
		s, err := supervisor.New(quick(), supervisor.Deps{
			Models: parse(t, `"m": {`+fake(freePort(t), "")+`}`), Commands: commands(t), Guard: []string{commands(t)["fakevllm"][0], "guard"},
		})
		if err != nil {
			t.Fatal(err)
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return s, ln
	}
	t.Run("listener closed", func(t *testing.T) { // the models end, nobody could steer them
		s, ln := start(t)
		_ = ln.Close()
		if err := s.Run(t.Context(), ln); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Run: %v", err)
		}
	})
	t.Run("ended before it began", func(t *testing.T) {
		s, ln := start(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Run(ctx, ln); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// TestEndWaitsForRequests ends the supervisor while a gateway has a request on its model: the gateway can still report.
func TestEndWaitsForRequests(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {`+fake(freePort(t), "")+`}`))
	feed := s.watch()
	up := phase(t, feed, "m", fleet.Ready)
	g := s.gateway("g")
	g.beat(up, 1)
	s.stop()
	down := phase(t, feed, "m", fleet.Draining)
	g.beat(down, 1)
	s.stillDraining()
	select {
	case err := <-s.ended:
		t.Fatalf("ended with a request in flight: %v", err)
	default:
	}
	g.beat(down, 0)
	phase(t, feed, "m", fleet.Stopped)
	s.end()
}

// TestFeedCarriesWhatTheFileSaysOfTraffic has an external model with two servers, of which neither answers.
func TestFeedCarriesWhatTheFileSaysOfTraffic(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {"endpoints": {"servers": [{"base_url": "http://localhost:1"}, {"base_url": "http://localhost:2/v1", "weight": 3}]},
		"routing": {"policy": "weighted", "session_header": "X-S", "canary": [{"model": "next", "percent": 2.5}], "fallbacks": ["next"], "hedge": true},
		"limits": {"inflight": 4, "queue": 2, "queue_timeout": 1, "keep_alive": true},
		"timeouts": {"connect": 1, "first_byte": 2, "idle": 3, "total": 4}}`, `"next": {"endpoints": {"base_url": "http://localhost:3"}}`))
	got := find(phase(t, s.watch(), "m", fleet.Starting), "m")
	want := fleet.Model{
		ID: "m", Phase: fleet.Starting, Message: got.Message,
		Backends: []fleet.Backend{{ID: "m-0", URL: "http://127.0.0.1:1", Weight: 1}, {ID: "m-1", URL: "http://127.0.0.1:2", Weight: 3}},
		Routing: fleet.Routing{Policy: fleet.Weighted, SessionHeader: "X-S", Canary: []fleet.Share{{Model: "next", Percent: 2.5}},
			Fallbacks: []string{"next"}, Hedge: true},
		Limits:   fleet.Limits{Inflight: 4, Queue: 2, QueueTimeout: time.Second, KeepAlive: true},
		Timeouts: fleet.Timeouts{Connect: time.Second, FirstByte: 2 * time.Second, Idle: 3 * time.Second, Total: 4 * time.Second},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

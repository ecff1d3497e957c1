package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// supervisor is a fake one: it feeds the snapshots that a test publishes, keeps the heartbeats, and records what the
// management proxy sends.
type supervisor struct {
	*httptest.Server
	beats chan fleet.Heartbeat

	mu       sync.Mutex
	last     []byte
	watchers map[chan []byte]bool
	managed  []*http.Request
	epoch    string
	revision uint64
	left     chan struct{} // gets one when somebody who followed has left
}

func newSupervisor(t *testing.T) *supervisor {
	s := &supervisor{beats: make(chan fleet.Heartbeat, 1024), watchers: make(map[chan []byte]bool), epoch: "test", left: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/fleet", s.watch)
	mux.HandleFunc("POST /v1/gateways/{id}/heartbeat", s.heartbeat)
	mux.HandleFunc("/v1/gateways/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/api/llm/", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.managed = append(s.managed, r)
		s.mu.Unlock()
		if r.URL.Query().Has("follow") {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "id: 7\ndata: %s\n\n", r.Header.Get("Last-Event-ID"))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			s.left <- struct{}{}
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"path":%q}`, r.URL.EscapedPath())
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.stop)
	return s
}

// stop cuts every feed, as a supervisor that dies does.
func (s *supervisor) stop() {
	s.CloseClientConnections()
	s.Close()
}

func (s *supervisor) watch(w http.ResponseWriter, r *http.Request) {
	feed := make(chan []byte, 16)
	s.mu.Lock()
	s.watchers[feed] = true
	if s.last != nil {
		feed <- s.last
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.watchers, feed)
		s.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	http.NewResponseController(w).Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case data := <-feed:
			fmt.Fprintf(w, "data: %s\n\n", data)
			http.NewResponseController(w).Flush()
		}
	}
}

func (s *supervisor) heartbeat(w http.ResponseWriter, r *http.Request) {
	var hb fleet.Heartbeat
	if err := json.NewDecoder(r.Body).Decode(&hb); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case s.beats <- hb:
	default:
	}
	w.WriteHeader(http.StatusNoContent)
}

// publish feeds a new snapshot and returns its revision.
func (s *supervisor) publish(models ...fleet.Model) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revision++
	data, err := json.Marshal(fleet.Snapshot{Epoch: s.epoch, Revision: s.revision, Models: models})
	if err != nil {
		panic(err)
	}
	s.last = data
	for feed := range s.watchers {
		feed <- data
	}
	return s.revision
}

// awaitBeat waits for a heartbeat that fits.
func (s *supervisor) awaitBeat(t *testing.T, what string, fits func(fleet.Heartbeat) bool) fleet.Heartbeat {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case hb := <-s.beats:
			if fits(hb) {
				return hb
			}
		case <-deadline:
			t.Fatalf("no heartbeat with %s", what)
		}
	}
}

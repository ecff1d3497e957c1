package supervisor

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/sse"
	"github.com/fluidmcp/fluidmcp/internal/web"
)

// maxHeartbeat bounds a heartbeat's body. A thousand backends and models take a tenth of it.
const maxHeartbeat = 1 << 20

// reconciled is the readiness of the supervisor: whether it has a snapshot to give.
func (s *Supervisor) reconciled() error {
	_, err := s.board.snapshot(false)
	return err
}

// fleet answers GET /v1/fleet.
func (s *Supervisor) fleet(w http.ResponseWriter, r *http.Request) error {
	if watch, _ := strconv.ParseBool(r.URL.Query().Get("watch")); watch && r.Method == http.MethodGet {
		return s.watch(w, r)
	}
	snapshot, err := s.board.snapshot(s.cfg.Token != "")
	if err != nil {
		return &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, Code: "not_ready",
			Message: err.Error(), RetryAfter: time.Second}
	}
	return web.JSON(w, http.StatusOK, snapshot)
}

// watch sends a snapshot at once and with each change. Changes that come faster than the client reads become one.
func (s *Supervisor) watch(w http.ResponseWriter, r *http.Request) error {
	out := sse.NewWriter(w)
	if err := out.Comment("fleet"); err != nil { // sends the header also when there is no snapshot yet
		return err
	}
	quiet := time.NewTicker(fleet.KeepAlive)
	defer quiet.Stop()
	var sent uint64 // revisions begin at 1
	for {
		changed, last := s.board.changed(), s.over()
		if snapshot, err := s.board.snapshot(s.cfg.Token != ""); err == nil && snapshot.Revision != sent {
			sent = snapshot.Revision
			data, err := json.Marshal(snapshot)
			if err != nil {
				return err
			}
			if err := out.Data(data); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
		if err := s.idle(r, out, changed, quiet.C); err != nil || r.Context().Err() != nil {
			return err
		}
	}
}

// over tells whether every model server has ended, so that the next snapshot is the last.
func (s *Supervisor) over() bool {
	select {
	case <-s.ending:
		return true
	default:
		return false
	}
}

// idle keeps the connection in use until something changes, the client leaves or every model server has ended.
func (s *Supervisor) idle(r *http.Request, out *sse.Writer, changed <-chan struct{}, quiet <-chan time.Time) error {
	for {
		select {
		case <-changed:
			return nil
		case <-s.ending:
			return nil
		case <-r.Context().Done():
			return nil
		case <-quiet:
			if err := out.Comment("keep-alive"); err != nil {
				return err
			}
		}
	}
}

// heartbeat answers POST /v1/gateways/{id}/heartbeat.
func (s *Supervisor) heartbeat(w http.ResponseWriter, r *http.Request) error {
	var hb fleet.Heartbeat
	if err := json.NewDecoder(web.LimitBody(w, r, maxHeartbeat)).Decode(&hb); err != nil {
		return &openai.Error{Status: http.StatusBadRequest, Type: openai.TypeInvalidRequest, Code: "invalid_heartbeat",
			Message: "The body is not a heartbeat.", Cause: err}
	}
	s.gateways.beat(mux.Vars(r)["id"], hb)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// leave answers DELETE /v1/gateways/{id}.
func (s *Supervisor) leave(w http.ResponseWriter, r *http.Request) error {
	s.gateways.leave(mux.Vars(r)["id"])
	w.WriteHeader(http.StatusNoContent)
	return nil
}

package gateways

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/supervisor/follow"
)

// Fleet is what gateways are told of.
type Fleet interface {
	// Snapshot is the fleet as it is, with the API keys of its servers if wanted, or says why there is none yet.
	Snapshot(keys bool) (fleet.Snapshot, error)
	// Changed returns a channel that is closed when another snapshot may have come.
	Changed() <-chan struct{}
}

// Feed sends the fleet to gateways.
type Feed struct {
	Fleet  Fleet
	Keys   bool            // with the API keys of its servers
	Ending <-chan struct{} // closed once every model server has ended: the snapshot of then is the last
}

// Get answers GET /v1/fleet.
func (f Feed) Get(w http.ResponseWriter, r *http.Request) error {
	if watch, _ := strconv.ParseBool(r.URL.Query().Get("watch")); watch && r.Method == http.MethodGet {
		return f.watch(w, r)
	}
	snapshot, err := f.Fleet.Snapshot(f.Keys)
	if err != nil {
		return &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, Code: "not_ready",
			Message: err.Error(), RetryAfter: time.Second}
	}
	return web.JSON(w, http.StatusOK, snapshot)
}

// watch sends a snapshot at once and with each change. Changes that come faster than the client reads become one.
func (f Feed) watch(w http.ResponseWriter, r *http.Request) error {
	out, err := follow.New(w, r, f.Ending, "fleet")
	if err != nil {
		return err
	}
	defer out.Close()
	var sent uint64 // revisions begin at 1
	for {
		changed, last := f.Fleet.Changed(), out.Ending()
		if snapshot, err := f.Fleet.Snapshot(f.Keys); err == nil && snapshot.Revision != sent {
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
		if err := out.Wait(changed, nil); err != nil || out.Gone() {
			return err
		}
	}
}

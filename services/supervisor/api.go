package supervisor

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// status answers GET /api/llm/status.
func (s *Supervisor) status(w http.ResponseWriter, _ *http.Request) error {
	overview := Overview{Status: "ok", Epoch: s.board.epoch, Gateways: s.gateways.Live(), File: s.fileStatus()}
	s.board.read(func() {
		overview.Revision = s.board.revision
		for _, m := range s.board.models {
			if m.overridden {
				overview.File.Overridden = append(overview.File.Overridden, m.ID)
			}
			now := m.foremost()
			overview.Models.Total++
			switch {
			case now.Phase == fleet.Ready:
				overview.Models.Ready++
			case now.Desired == unit.Running:
				overview.Status = "degraded"
			}
		}
	})
	return web.JSON(w, http.StatusOK, overview)
}

// models answers GET /api/llm/models.
func (s *Supervisor) models(w http.ResponseWriter, _ *http.Request) error {
	var list []ModelStatus
	s.board.read(func() {
		list = make([]ModelStatus, 0, len(s.board.models))
		for _, m := range s.board.models {
			list = append(list, m.report())
		}
	})
	for n := range list { // not with the board locked: a rollout that begins asks the board
		list[n].Rollout = s.rollout(list[n].ID)
	}
	return web.JSON(w, http.StatusOK, map[string]any{"models": list})
}

// oneModel answers GET /api/llm/models/{id}.
func (s *Supervisor) oneModel(w http.ResponseWriter, r *http.Request) error {
	m, err := s.find(r)
	if err != nil {
		return err
	}
	return s.send(w, http.StatusOK, m)
}

func (s *Supervisor) find(r *http.Request) (*model, error) {
	id := mux.Vars(r)["id"]
	if m := s.board.find(id); m != nil {
		return m, nil
	}
	return nil, unknown(id)
}

func unknown(id string) error {
	return &openai.Error{Status: http.StatusNotFound, Type: openai.TypeNotFound, Code: "model_not_found",
		Message: fmt.Sprintf("The model %q is not in the models file.", id)}
}

func (s *Supervisor) send(w http.ResponseWriter, status int, m *model) error {
	var report ModelStatus
	s.board.read(func() { report = m.report() })
	report.Rollout = s.rollout(m.ID)
	return web.JSON(w, status, report)
}

// act answers POST /api/llm/models/{id}/start and stop. It does not wait for what it sets off.
func (s *Supervisor) act(kind unit.Kind) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		m, err := s.find(r)
		if err != nil {
			return err
		}
		if kind == unit.Stop {
			s.rollouts.Cancel(m.ID, rollout.ErrStopped)
		}
		for _, i := range s.board.servers(m) {
			if _, err := i.unit.Do(r.Context(), unit.Event{Kind: kind, By: asker(r)}); errors.Is(err, unit.ErrEnded) {
				return shuttingDown(err)
			} else if err != nil {
				return err
			}
		}
		s.store.Models.Saved(r.Context()) // what was answered outlives a kill
		return s.send(w, http.StatusAccepted, m)
	}
}

func shuttingDown(err error) error {
	return &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, Code: "shutting_down",
		Message: "The supervisor is ending.", Cause: err}
}

// conflict refuses what FluidMCP cannot do with a server that it does not run.
func conflict(m *model, what string) error {
	return &openai.Error{Status: http.StatusConflict, Type: openai.TypeConflict, Code: "not_supported",
		Message: fmt.Sprintf("The model %q is external: its server runs elsewhere and %s from here.", m.ID, what)}
}

// healthCheck answers POST /api/llm/models/{id}/health-check with what its servers say now.
func (s *Supervisor) healthCheck(w http.ResponseWriter, r *http.Request) error {
	m, err := s.find(r)
	if err != nil {
		return err
	}
	servers := s.board.servers(m)
	check := HealthCheck{Model: m.ID, Healthy: true, Instances: make([]InstanceHealth, len(servers))}
	var asked sync.WaitGroup
	for n, i := range servers {
		asked.Go(func() {
			target, url := s.target(i)
			result := target.Ready(r.Context())
			h := InstanceHealth{ID: i.ID, URL: url, Healthy: result.Err == nil, Status: result.Status,
				LatencyMS: float64(result.Latency) / float64(time.Millisecond)}
			if result.Err != nil {
				h.Error = result.Err.Error()
			}
			check.Instances[n] = h
		})
	}
	asked.Wait()
	for _, h := range check.Instances {
		check.Healthy = check.Healthy && h.Healthy
	}
	return web.JSON(w, http.StatusOK, check)
}

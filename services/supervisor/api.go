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
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/report"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// status answers GET /api/llm/status.
func (s *Supervisor) status(w http.ResponseWriter, _ *http.Request) error {
	overview := report.Overview{Status: "ok", Epoch: s.board.Epoch, Gateways: s.gateways.Live(), File: s.fileStatus()}
	overview.Revision = s.board.Each(func(m *board.Model) {
		if m.Overridden {
			overview.File.Overridden = append(overview.File.Overridden, m.ID)
		}
		now := m.Foremost()
		overview.Models.Total++
		switch {
		case now.Phase == fleet.Ready:
			overview.Models.Ready++
		case now.Desired == unit.Running:
			overview.Status = "degraded"
		}
	})
	return web.JSON(w, http.StatusOK, overview)
}

// models answers GET /api/llm/models.
func (s *Supervisor) models(w http.ResponseWriter, _ *http.Request) error {
	list := []report.Model{}
	s.board.Each(func(m *board.Model) { list = append(list, report.Of(m)) })
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

func (s *Supervisor) find(r *http.Request) (*board.Model, error) {
	id := mux.Vars(r)["id"]
	if m := s.board.Find(id); m != nil {
		return m, nil
	}
	return nil, unknown(id)
}

func unknown(id string) error {
	return &openai.Error{Status: http.StatusNotFound, Type: openai.TypeNotFound, Code: "model_not_found",
		Message: fmt.Sprintf("The model %q is not in the models file.", id)}
}

func (s *Supervisor) send(w http.ResponseWriter, status int, m *board.Model) error {
	var answer report.Model
	s.board.Read(func() { answer = report.Of(m) })
	answer.Rollout = s.rollout(m.ID)
	return web.JSON(w, status, answer)
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
		for _, i := range s.board.Servers(m) {
			if _, err := i.Unit.Do(r.Context(), unit.Event{Kind: kind, By: asker(r)}); errors.Is(err, unit.ErrEnded) {
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
func conflict(m *board.Model, what string) error {
	return &openai.Error{Status: http.StatusConflict, Type: openai.TypeConflict, Code: "not_supported",
		Message: fmt.Sprintf("The model %q is external: its server runs elsewhere and %s from here.", m.ID, what)}
}

// healthCheck answers POST /api/llm/models/{id}/health-check with what its servers say now.
func (s *Supervisor) healthCheck(w http.ResponseWriter, r *http.Request) error {
	m, err := s.find(r)
	if err != nil {
		return err
	}
	servers := s.board.Servers(m)
	check := report.HealthCheck{Model: m.ID, Healthy: true, Instances: make([]report.InstanceHealth, len(servers))}
	var asked sync.WaitGroup
	for n, i := range servers {
		asked.Go(func() {
			target, url := s.target(i)
			result := target.Ready(r.Context())
			h := report.InstanceHealth{ID: i.ID, URL: url, Healthy: result.Err == nil, Status: result.Status,
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

// rollout describes the present or last rollout of a model, nil when there was none.
func (s *Supervisor) rollout(id string) *report.Rollout {
	now, ok := s.rollouts.Status(id)
	if !ok {
		return nil
	}
	return report.OfRollout(now)
}

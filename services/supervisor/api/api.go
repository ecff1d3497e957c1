package api

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/gateways"
	"github.com/fluidmcp/fluidmcp/services/supervisor/logs"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/modelsfile"
	"github.com/fluidmcp/fluidmcp/services/supervisor/probe"
	"github.com/fluidmcp/fluidmcp/services/supervisor/report"
	"github.com/fluidmcp/fluidmcp/services/supervisor/restart"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/store"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// API answers the requests. All of its fields are needed.
type API struct {
	Board    *board.Board
	File     *modelsfile.File
	Rollouts *rollout.Rollouts
	Restarts *restart.Restarts
	Store    *store.Store
	Logs     *logs.Logs
	Gateways *gateways.Gateways
	Target   func(*board.Instance) (target probe.Target, url string) // whom to ask how a server is, and its address for people
	Ending   <-chan struct{}                                         // closed once every model server has ended and that is on record
}

// Status answers GET /api/llm/status.
func (a *API) Status(w http.ResponseWriter, _ *http.Request) error {
	overview := report.Overview{Status: "ok", Epoch: a.Board.Epoch, Gateways: a.Gateways.Live(), File: a.File.Status()}
	overview.Revision = a.Board.Each(func(m *board.Model) {
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

// Models answers GET /api/llm/models.
func (a *API) Models(w http.ResponseWriter, _ *http.Request) error {
	list := []report.Model{}
	a.Board.Each(func(m *board.Model) { list = append(list, report.Of(m)) })
	for n := range list { // not with the board locked: a rollout that begins asks the board
		list[n].Rollout = a.rollout(list[n].ID)
	}
	return web.JSON(w, http.StatusOK, map[string]any{"models": list})
}

// Model answers GET /api/llm/models/{id}.
func (a *API) Model(w http.ResponseWriter, r *http.Request) error {
	m, err := a.find(r)
	if err != nil {
		return err
	}
	return a.send(w, http.StatusOK, m)
}

func (a *API) send(w http.ResponseWriter, status int, m *board.Model) error {
	var answer report.Model
	a.Board.Read(func() { answer = report.Of(m) })
	answer.Rollout = a.rollout(m.ID)
	return web.JSON(w, status, answer)
}

// Act answers POST /api/llm/models/{id}/start and stop. It does not wait for what it sets off.
func (a *API) Act(kind unit.Kind) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		m, err := a.find(r)
		if err != nil {
			return err
		}
		if kind == unit.Stop {
			a.Rollouts.Cancel(m.ID, rollout.ErrStopped)
		}
		ended := 0
		servers := a.Board.Servers(m)
		for _, i := range servers {
			_, err := i.Runner.Do(r.Context(), unit.Event{Kind: kind, By: asker(r)})
			switch {
			case errors.Is(err, runner.ErrEnded): // a replica that goes, or all of them
				if ended++; ended == len(servers) {
					return shuttingDown(err)
				}
			case err != nil:
				return err
			}
		}
		a.Store.Models.Saved(r.Context()) // what was answered outlives a kill
		return a.send(w, http.StatusAccepted, m)
	}
}

// HealthCheck answers POST /api/llm/models/{id}/health-check with what its servers say now.
func (a *API) HealthCheck(w http.ResponseWriter, r *http.Request) error {
	m, err := a.find(r)
	if err != nil {
		return err
	}
	servers := a.Board.Servers(m)
	check := report.HealthCheck{Model: m.ID, Healthy: true, Instances: make([]report.InstanceHealth, len(servers))}
	var asked sync.WaitGroup
	for n, i := range servers {
		asked.Go(func() {
			target, url := a.Target(i)
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

// Restart answers POST /api/llm/models/{id}/restart. It does not wait for the rollout that it begins.
func (a *API) Restart(w http.ResponseWriter, r *http.Request) error {
	m, err := a.find(r)
	if err != nil {
		return err
	}
	force, err := readBool(r, "force")
	switch {
	case err != nil:
		return err
	case m.Driver == manifest.External:
		return conflict(m, "cannot be restarted")
	}
	err = a.Restarts.Ask(r.Context(), m, asker(r), force)
	if alone, ok := errors.AsType[*restart.Interrupts](err); ok {
		return &openai.Error{Status: http.StatusConflict, Type: openai.TypeConflict, Code: "would_interrupt",
			Message: fmt.Sprintf("The model %q has one server, and no room for another one meanwhile (%s): it would answer 503 until it has started anew. "+
				"Restart it all the same with ?force=true (fluidmcp restart --force), or give it %s.", m.ID, alone.Lack, alone.Mend)}
	}
	if absent, ok := errors.AsType[*restart.Absent](err); ok {
		return &openai.Error{Status: http.StatusConflict, Type: openai.TypeConflict, Code: "no_container",
			Message: fmt.Sprintf("The model %q cannot be restarted: %s.", m.ID, absent.Lack)}
	}
	if err != nil {
		return shuttingDown(err)
	}
	return a.send(w, http.StatusAccepted, m)
}

// rollout describes the present or last rollout of a model, nil when there was none.
func (a *API) rollout(id string) *report.Rollout {
	now, ok := a.Rollouts.Status(id)
	if !ok {
		return nil
	}
	return report.OfRollout(now)
}

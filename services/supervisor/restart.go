package supervisor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
	"github.com/fluidmcp/fluidmcp/services/supervisor/store"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// surgePorts is how many ports after those of a model are tried for one more server.
const surgePorts = 100

// rolling is what a rollout is to do with a model.
type rolling struct {
	why       unit.Reason // Requested or Reconfigured
	by        string
	instances []*board.Instance    // nil: all
	atOnce    bool                 // the model is not served meanwhile
	done      func(rollout.Status) // told how it has ended; may be nil
}

// restart answers POST /api/llm/models/{id}/restart. It does not wait for the rollout that it begins.
func (s *Supervisor) restart(w http.ResponseWriter, r *http.Request) error {
	m, err := s.find(r)
	if err != nil {
		return err
	}
	force, err := readBool(r, "force")
	switch {
	case err != nil:
		return err
	case m.Driver == spec.External:
		return conflict(m, "cannot be restarted")
	}
	now, _ := s.rollouts.Status(m.ID)
	if !force && now.State == rollout.Rolling && now.Why == unit.Requested { // that is what is asked for
		return s.send(w, http.StatusAccepted, m)
	}
	if !force && s.only(m) {
		if err := s.room(r.Context(), m); err != nil {
			more := "rollout.surge, replicas or limits.keep_alive"
			if errors.Is(err, errNoCreate) {
				more = "another container or limits.keep_alive"
			}
			return &openai.Error{Status: http.StatusConflict, Type: openai.TypeConflict, Code: "would_interrupt",
				Message: fmt.Sprintf("The model %q has one server, and no room for another one meanwhile (%s): it would answer 503 until it has started anew. "+
					"Restart it all the same with ?force=true (fluidmcp restart --force), or give it %s.", m.ID, err, more)}
		}
	}
	if err := s.roll(m, rolling{why: unit.Requested, by: asker(r), atOnce: force}); err != nil {
		return shuttingDown(err)
	}
	return s.send(w, http.StatusAccepted, m)
}

// only tells whether one server is all that the requests of the model have: there is no other one, and they cannot wait.
func (s *Supervisor) only(m *board.Model) (yes bool) {
	s.board.Read(func() {
		waits := m.Limits.KeepAlive || m.Demand.Start
		yes = len(m.Servers) == 1 && m.Servers[0].Status.Routable() && !waits
	})
	return yes
}

var (
	errNoSurge  = errors.New("rollout.surge is not true")
	errNoCreate = errors.New("containers are not created here")
)

// room is nil when one more server of the model can run beside those that it has, and otherwise says what lacks.
func (s *Supervisor) room(ctx context.Context, m *board.Model) error {
	var takes *spec.GPU
	surge := false
	s.board.Read(func() {
		if surge = m.Surge; surge {
			takes = m.Instances[0].GPU
		}
	})
	switch {
	case m.Driver == spec.Docker:
		return errNoCreate
	case !surge:
		return errNoSurge
	case takes == nil:
		return nil
	}
	if lack := s.gpus.Lacks(ctx, takes.Share, takes.Taken()); lack != "" {
		return errors.New(lack)
	}
	return nil
}

// roll begins to replace servers of a model, and takes the place of the rollout that there may be. A new command has to be set
// before: a server that crashes meanwhile and comes back by itself counts as replaced.
func (s *Supervisor) roll(m *board.Model, r rolling) error {
	p := rollout.Plan{Why: r.why, AtOnce: r.atOnce, Ended: r.done}
	p.Missing = func() string {
		what, _ := s.board.Missing(m)
		return what
	}
	if r.instances == nil {
		r.instances = s.board.Servers(m)
	}
	for _, i := range r.instances {
		if i.Extra { // it is a rollout's own
			continue
		}
		p.Servers = append(p.Servers, rollout.Server{
			ID:     i.ID,
			Status: func() unit.Status { return s.board.Status(i) },
			Replace: func(ctx context.Context) error {
				_, err := i.Unit.Do(ctx, unit.Event{Kind: unit.Restart, Reason: r.why, By: r.by})
				return err
			},
		})
	}
	p.Surge = func(ctx context.Context) (*rollout.Extra, error) {
		if s.room(ctx, m) != nil {
			return nil, nil
		}
		return s.surge(m)
	}
	return s.rollouts.Start(m.ID, p)
}

// surge starts one more server of the model.
func (s *Supervisor) surge(m *board.Model) (*rollout.Extra, error) {
	port, err := s.freePort(m)
	if err != nil {
		return nil, err
	}
	var from spec.Instance
	s.board.Read(func() { from = m.ExtraServer(port) })
	i := s.instance(m, from, unit.Before{})
	s.board.Add(m, i)
	if !s.crew.Begin(i) {
		s.board.Remove(m, i)
		return nil, unit.ErrEnded
	}
	retire := func() {
		i.End()
		<-i.Ended
		s.board.Remove(m, i)
	}
	return &rollout.Extra{ID: i.ID, Status: func() unit.Status { return s.board.Status(i) }, Retire: retire}, nil
}

// freePort finds a port for one more server of the model, after those that it has.
func (s *Supervisor) freePort(m *board.Model) (int, error) {
	var taken []int
	last := 0
	s.board.Each(func(other *board.Model) {
		for _, i := range other.Servers {
			taken = append(taken, i.Port)
			if other == m {
				last = max(last, i.Port)
			}
		}
	})
	for port := last + 1; port <= min(last+surgePorts, 65535); port++ {
		if !slices.Contains(taken, port) && isFree(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("none of the %d ports after %d is free for one more server", surgePorts, last)
}

func isFree(port int) bool {
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return ln.Close() == nil
}

// rolloutEvents are the reasons of the events of a rollout's end.
var rolloutEvents = map[rollout.State]string{rollout.Done: "RolloutDone", rollout.Failed: "RolloutFailed", rollout.Canceled: "RolloutCanceled"}

// tellRollout takes in what a rollout does. What happens to each server is logged already.
func (s *Supervisor) tellRollout(id string, now rollout.Status) {
	log := s.log.With(zap.String("model", id), zap.String("reason", string(now.Why)), zap.Int("done", now.Done), zap.Int("total", now.Total),
		zap.String("detail", now.Message))
	switch now.State {
	case rollout.Rolling:
		log.Debug("model is rolling")
		return
	case rollout.Done:
		log.Info("rollout is done")
	case rollout.Failed:
		log.Warn("rollout has failed")
	case rollout.Canceled:
		log.Info("rollout was canceled")
	}
	s.metrics.rollouts.WithLabelValues(id, string(now.State)).Inc()
	s.store.Events.Add(store.Event{Model: id, Reason: rolloutEvents[now.State],
		Message: strings.TrimSuffix(fmt.Sprintf("%d of %d servers are new ones; %s", now.Done, now.Total, now.Message), "; ")})
}

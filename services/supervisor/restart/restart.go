package restart

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/crew"
	"github.com/fluidmcp/fluidmcp/services/supervisor/gpu"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/argv"
	"github.com/fluidmcp/fluidmcp/services/supervisor/rollout"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/servers"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// surgePorts is how many ports after those of a model are tried for one more server.
const surgePorts = 100

// Restarts begins rollouts. All of its fields are needed.
type Restarts struct {
	Board    *board.Board
	Crew     *crew.Crew
	Rollouts *rollout.Rollouts
	GPUs     *gpu.GPUs
	Servers  *servers.Servers
}

// Rolling is what a rollout is to do with a model.
type Rolling struct {
	Why     unit.Reason // unit.Requested or unit.Reconfigured
	By      string
	Servers []*board.Instance    // nil: all that stay
	Leaving []*rollout.Extra     // those of which the model has too many
	AtOnce  bool                 // the model is not served meanwhile
	Done    func(rollout.Status) // told how it has ended; may be nil
}

// Interrupts is the error of a restart that would have its model unserved for a while.
type Interrupts struct {
	Lack error  // what one more server lacks meanwhile
	Mend string // what the model could be given, for people
}

func (i *Interrupts) Error() string { return "no room for one more server: " + i.Lack.Error() }

// Absent is the error of a restart that would wait for containers that do not exist.
type Absent struct{ Lack error }

func (a *Absent) Error() string { return a.Lack.Error() }

// Ask begins to restart all servers of a model because somebody wants it, unless that is going on already. It does not wait. Without
// force it is Interrupts where the model would not be served meanwhile. It is Absent where containers do not exist, with force all of them, and
// runner.ErrEnded once the supervisor ends.
func (s *Restarts) Ask(ctx context.Context, m *board.Model, by string, force bool) error {
	now, _ := s.Rollouts.Status(m.ID)
	if !force && now.State == rollout.Rolling && now.Why == unit.Requested { // that is what is asked for
		return nil
	}
	if !force && s.only(m) {
		if err := s.room(ctx, m); err != nil {
			mend := "rollout.surge, replicas or limits.keep_alive"
			if errors.Is(err, errNoCreate) {
				mend = "another container or limits.keep_alive"
			}
			return &Interrupts{err, mend}
		}
	}
	if err := s.absent(ctx, m, force); err != nil {
		return &Absent{err}
	}
	return s.Roll(m, Rolling{Why: unit.Requested, By: by, AtOnce: force})
}

// absent says which servers could not come back, because they are containers that do not exist: one of them, or with all each.
func (s *Restarts) absent(ctx context.Context, m *board.Model, all bool) error {
	var lacks []error
	servers := s.Board.Servers(m)
	for _, i := range servers {
		if err := s.Servers.Absent(ctx, i); err != nil {
			lacks = append(lacks, err)
		}
	}
	if all && len(lacks) < len(servers) {
		return nil
	}
	return errors.Join(lacks...)
}

// only tells whether one server is all that the requests of the model have: there is no other one, and they cannot wait.
func (s *Restarts) only(m *board.Model) (yes bool) {
	s.Board.Read(func() {
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
func (s *Restarts) room(ctx context.Context, m *board.Model) error {
	var takes *argv.GPU
	surge := false
	s.Board.Read(func() {
		if surge = m.Surge; surge {
			takes = m.Instances[0].GPU
		}
	})
	switch {
	case m.Driver == manifest.Docker:
		return errNoCreate
	case !surge:
		return errNoSurge
	case takes == nil:
		return nil
	}
	if lack := s.GPUs.Lacks(ctx, takes.Share, takes.Taken()); lack != "" {
		return errors.New(lack)
	}
	return nil
}

// Roll begins to replace servers of a model, and takes the place of the rollout that there may be. A new command has to be set
// before: a server that crashes meanwhile and comes back by itself counts as replaced.
func (s *Restarts) Roll(m *board.Model, r Rolling) error {
	p := rollout.Plan{Why: r.Why, Leaving: r.Leaving, AtOnce: r.AtOnce, Ended: r.Done}
	p.Missing = func() string {
		what, _ := s.Board.Missing(m)
		return what
	}
	if r.Servers == nil {
		s.Board.Read(func() { r.Servers = slices.DeleteFunc(slices.Clone(m.Servers), (*board.Instance).Surplus) })
	}
	p.Beside = func() (beside []rollout.Server) {
		s.Board.Read(func() {
			for _, i := range m.Servers {
				if !i.Extra && !i.Leaving && !i.Surplus() && !slices.Contains(r.Servers, i) {
					beside = append(beside, rollout.Server{ID: i.ID, Status: func() unit.Status { return s.Board.Status(i) }})
				}
			}
		})
		return beside
	}
	for _, i := range r.Servers {
		if i.Extra { // it is a rollout's own
			continue
		}
		p.Servers = append(p.Servers, rollout.Server{
			ID:     i.ID,
			Status: func() unit.Status { return s.Board.Status(i) },
			Replace: func(ctx context.Context) error {
				_, err := i.Runner.Do(ctx, unit.Event{Kind: unit.Restart, Reason: r.Why, By: r.By})
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
	return s.Rollouts.Start(m.ID, p)
}

// surge starts one more server of the model.
func (s *Restarts) surge(m *board.Model) (*rollout.Extra, error) {
	port, err := s.freePort(m)
	if err != nil {
		return nil, err
	}
	var from manifest.Instance
	s.Board.Read(func() { from = m.ExtraServer(port) })
	i := s.Servers.Make(m, from, unit.Before{})
	s.Board.Add(m, i)
	if !s.Crew.Begin(i) {
		s.Board.Remove(m, i)
		return nil, runner.ErrEnded
	}
	retire := func() {
		i.End(unit.Removed)
		<-i.Ended
		s.Board.Remove(m, i)
	}
	return &rollout.Extra{ID: i.ID, Status: func() unit.Status { return s.Board.Status(i) }, Retire: retire}, nil
}

// freePort finds a port for one more server of the model, after those that it has.
func (s *Restarts) freePort(m *board.Model) (int, error) {
	var taken []int
	last := 0
	s.Board.Each(func(other *board.Model) {
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

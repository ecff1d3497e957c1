package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// surgeTries is how often one more server is started where its port is taken before it can listen.
const surgeTries = 3

// errSuperseded is the cause of a rollout's end when another one takes its place.
var errSuperseded = errors.New("another rollout has begun")

// run is one rollout.
type run struct {
	plan    Plan
	servers []seen
	extra   *Extra
	leaving []*Extra
	before  *run // the one whose place it takes; its extra server is taken over, and those that have to leave
	changed func() <-chan struct{}
	report  func(Status)
	cancel  context.CancelCauseFunc
	over    chan struct{} // closed at its end
	acting  sync.Mutex    // held while a server is told to be replaced

	status Status // of the run's goroutine; others get copies by report
	said   Status // that was reported last
}

// do sees the rollout to its end.
func (r *run) do(ctx context.Context) {
	defer close(r.over)
	if r.before != nil {
		<-r.before.over
		r.extra = r.before.extra
		for _, e := range r.before.leaving {
			if !slices.ContainsFunc(r.leaving, func(other *Extra) bool { return other.ID == e.ID }) {
				r.leaving = append(r.leaving, e)
			}
		}
		r.before = nil
		if r.extra != nil && !r.extra.Status().Routable() {
			r.extra.Retire()
			r.extra = nil
		}
	}
	state, message := r.roll(ctx)
	if standIn := r.standIn(); state == Failed && standIn != nil {
		r.end(Failed, message+"; "+standIn.ID+" serves in its place until it does")
		r.linger(ctx)
	}
	if !errors.Is(context.Cause(ctx), errSuperseded) {
		for _, e := range r.extras() {
			if state == Done {
				r.say("ends " + e.ID)
			}
			e.Retire()
		}
		r.extra, r.leaving = nil, nil
	}
	if r.status.State == Rolling {
		r.end(state, message)
		return
	}
	r.say(message) // the extra server has gone, or goes on with another rollout
}

// roll replaces the servers.
func (r *run) roll(ctx context.Context) (State, string) {
	if r.surges() {
		if err := r.surge(ctx); err != nil {
			return because(ctx, err)
		}
	}
	for tries := 1; ; {
		changed := r.changed()
		if r.portTaken() && tries < surgeTries {
			tries++
			r.extra.Retire()
			if err := r.surge(ctx); err != nil {
				return because(ctx, err)
			}
		}
		d := decide(r.look())
		r.status.Done = d.done
		if d.state != Rolling {
			return d.state, d.message
		}
		if len(d.replace) == 0 {
			r.say(d.message)
			select {
			case <-ctx.Done():
				return Canceled, context.Cause(ctx).Error()
			case <-changed:
				continue
			}
		}
		if err := r.replace(ctx, d.replace); err != nil {
			return because(ctx, err)
		}
	}
}

// because says how a rollout ends with an error.
func because(ctx context.Context, err error) (State, string) {
	switch {
	case ctx.Err() != nil:
		return Canceled, context.Cause(ctx).Error()
	case errors.Is(err, runner.ErrEnded):
		return Canceled, err.Error()
	}
	return Failed, err.Error()
}

// extras are all servers that go at the end.
func (r *run) extras() []*Extra {
	if r.extra == nil {
		return r.leaving
	}
	return append(slices.Clip(r.leaving), r.extra)
}

// standIn is one of them that serves, or nil.
func (r *run) standIn() *Extra {
	for _, e := range r.extras() {
		if e.Status().Routable() {
			return e
		}
	}
	return nil
}

// surges tells whether one more server is to be started: something is served now, and it would not be.
func (r *run) surges() bool {
	ready := func(s Server) bool { return s.Status().Routable() }
	return r.extra == nil && r.standIn() == nil && r.plan.Surge != nil && !r.plan.AtOnce && slices.ContainsFunc(r.plan.Servers, ready)
}

// surge starts one more server.
func (r *run) surge(ctx context.Context) (err error) {
	r.extra, err = r.plan.Surge(ctx)
	return err
}

// portTaken tells whether somebody has taken the port of the extra server, which was free before it was started.
func (r *run) portTaken() bool {
	if r.extra == nil {
		return false
	}
	s := r.extra.Status()
	return s.Phase == fleet.Failed && s.Reason == unit.PortInUse
}

// look asks every server how it is.
func (r *run) look() view {
	for i, s := range r.plan.Servers {
		r.servers[i].Status = s.Status()
	}
	v := view{servers: r.servers, atOnce: r.plan.AtOnce, leaving: len(r.leaving) > 0}
	if r.extra != nil {
		v.extra = &seen{id: r.extra.ID, Status: r.extra.Status()}
	}
	if r.plan.Beside != nil {
		for _, s := range r.plan.Beside() {
			v.beside = append(v.beside, seen{id: s.ID, Status: s.Status()})
		}
	}
	if r.plan.Missing != nil {
		v.missing = r.plan.Missing()
	}
	return v
}

func (r *run) replace(ctx context.Context, servers []int) error {
	names := make([]string, len(servers))
	for n, i := range servers {
		names[n] = r.servers[i].id
	}
	r.say("replaces " + strings.Join(names, ", "))
	for _, i := range servers {
		if err := r.take(ctx, i); err != nil {
			return fmt.Errorf("replace %s: %w", r.servers[i].id, err)
		}
	}
	return nil
}

// take has one server replaced, unless the rollout is canceled.
func (r *run) take(ctx context.Context, i int) error {
	r.acting.Lock()
	defer r.acting.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := r.plan.Servers[i].Replace(ctx); err != nil {
		return err
	}
	r.servers[i].asked, r.servers[i].failures = true, r.plan.Servers[i].Status().Failures
	return nil
}

// linger waits until every server is ready after all, so that no extra one is missed.
func (r *run) linger(ctx context.Context) {
	for {
		changed := r.changed()
		if !slices.ContainsFunc(r.plan.Servers, func(s Server) bool { return !s.Status().Routable() }) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// say reports what the rollout does, once.
func (r *run) say(message string) {
	before := r.said
	r.status.Message = message
	if r.said = r.status; r.said != before {
		r.report(r.status)
	}
}

func (r *run) end(state State, message string) {
	r.status.State, r.status.Ended = state, time.Now()
	r.say(message)
	if r.plan.Ended != nil {
		r.plan.Ended(r.status)
	}
}

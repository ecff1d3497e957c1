package servers

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/store"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// record is what the events of an instance are made of, beside its status.
type record struct {
	phase  fleet.Phase // of the last event, "" before the first, as the two below
	reason unit.Reason
	starts int
	cause  unit.Reason // of the last start after the first
}

// before is what an earlier supervisor knew of an instance. What failed with another command says nothing of this one.
func (s *Servers) before(m *board.Model, i manifest.Instance) unit.Before {
	known := s.Store.Models.Get(m.ID)
	before := unit.Before{Desired: unit.Desired(known.Desired)}
	if m.Driver != manifest.External { // those are not started here
		before.Starts, before.Restarts = known.Starts[i.ID], known.Restarts[i.ID]
	}
	if f := known.Failures[i.ID]; f.Of == fingerprint(i) {
		before.Failures = unit.FailureHistory{Times: f.Times, Reason: unit.Reason(f.Reason), Message: f.Message}
	}
	return before
}

// fingerprint tells what an instance runs from what it runs after a change of the models file or of the environment.
func fingerprint(i manifest.Instance) string {
	if i.Container != "" {
		return i.Container
	}
	return process.Fingerprint(i.Argv, i.Dir, i.Env.List())
}

// rememberFailures keeps those that a later supervisor has to know. What is kept may be of an instance of this name that is gone, so the
// first status of one replaces it. The board is locked.
func (s *Servers) rememberFailures(i *board.Instance, last *record, before, now unit.Status) {
	history := now.History()
	if i.Extra || last.phase != "" && history.Same(before.History()) {
		return
	}
	kept := store.Failures{Times: history.Times, Reason: string(history.Reason), Message: history.Message}
	if len(history.Times) > 0 {
		kept.Of = fingerprint(i.Instance)
	}
	s.Store.Models.Failed(i.Model.ID, i.ID, kept)
}

// remember keeps what a later supervisor has to know, and makes an event of what people want to know. The board is locked.
func (s *Servers) remember(i *board.Instance, last *record, before, now unit.Status) {
	if before.Desired != now.Desired && !i.Extra {
		s.Store.Models.Wanted(i.Model.ID, string(now.Desired))
	}
	if before.Starts != now.Starts && !i.Extra {
		s.Store.Models.Started(i.Model.ID, i.ID, now.Starts, now.Restarts)
	}
	s.rememberFailures(i, last, before, now)
	passing := now.Phase == fleet.Pending && now.Reason == "" // nothing to wait for: it starts in this moment
	if passing || last.phase == now.Phase && last.reason == now.Reason && last.starts == now.Starts {
		return
	}
	s.Store.Events.Add(happened(i, *last, before, now))
	last.phase, last.reason, last.starts = now.Phase, now.Reason, now.Starts
}

func happened(i *board.Instance, last record, before, now unit.Status) store.Event {
	e := store.Event{Model: i.Model.ID, Instance: i.ID, From: last.phase, Phase: now.Phase,
		Reason: string(now.Reason), Message: board.Message(now.State), Attempt: now.Starts, PID: now.PID}
	e.By, e.Key, _ = strings.Cut(now.By, ":")
	switch now.Phase {
	case fleet.Unhealthy, fleet.Backoff, fleet.Failed: // nobody has asked for that
		e.By, e.Key = "", ""
	case fleet.Starting:
		if e.Reason == "" && now.Starts > 1 {
			e.Reason = string(last.cause)
		}
	}
	if e.Message == "" {
		e.Message = takenOver[unit.Reason(e.Reason)]
	}
	if exit := now.LastExit; before.LastExit != exit && !now.Policy.Remote {
		e.Exit = &store.Exit{Code: exit.Code, Signal: exit.Signal}
	}
	return e
}

// takenOver says what became of the servers of an earlier supervisor.
var takenOver = map[unit.Reason]string{
	unit.WasAdopted:          "its server ran already and goes on",
	unit.SupervisorRestarted: "its server had ended with the supervisor before this one",
}

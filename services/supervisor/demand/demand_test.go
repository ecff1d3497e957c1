package demand

import (
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/gateways"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// TestDemands: what a model is told follows from its phase and from what gateways say.
func TestDemands(t *testing.T) {
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	m := &board.Model{Model: manifest.Model{Demand: manifest.Demand{Start: true, IdleTimeout: time.Minute}}}
	quiet, asked := use{Use: gateways.Use{Heard: true, Last: ago(time.Hour)}}, use{Use: gateways.Use{Heard: true, Queued: 2, Busy: true}}
	f := func(name string, phase fleet.Phase, by string, u use, want unit.Event) {
		t.Helper()
		now := now
		first := unit.Status{State: unit.State{Desired: unit.OnDemand, Phase: phase, By: by, Since: ago(time.Minute), ReadyAt: ago(time.Minute)}}
		e, ok := demand(m, first, u, now)
		if ok != (want.Reason != "" || want.By != "") || ok && (e.Kind != want.Kind || e.Reason != want.Reason || e.By != want.By) {
			t.Errorf("%s: told %+v (%t), want %+v", name, e, ok, want)
		}
	}
	nothing, wanted := unit.Event{}, unit.Event{Kind: unit.Wanted, By: byRequest}
	retire := func(why unit.Reason) unit.Event { return unit.Event{Kind: unit.Retire, Reason: why, By: byRule} }
	f("rests", fleet.Stopped, "", quiet, nothing)
	f("is wanted", fleet.Stopped, "", asked, wanted)
	f("is wanted while it leaves", fleet.Draining, "", asked, wanted)
	f("is wanted while it is ended", fleet.Stopping, "", asked, wanted)
	f("comes already", fleet.Starting, "", asked, nothing)
	f("will be tried again", fleet.Backoff, "", asked, nothing)
	f("has failed", fleet.Failed, "", asked, nothing)
	f("is at work", fleet.Ready, byRequest, asked, nothing)
	f("is idle", fleet.Ready, byRequest, quiet, retire(unit.Idle))
	f("was asked for half a minute ago", fleet.Ready, byRequest, use{Use: gateways.Use{Heard: true, Last: ago(30 * time.Second)}}, nothing)
	f("nobody knows", fleet.Ready, byRequest, use{Use: gateways.Use{Last: ago(time.Hour)}}, nothing)
	f("is needed", fleet.Stopped, "", use{Use: gateways.Use{Heard: true, Busy: true}, needed: true}, unit.Event{Kind: unit.Wanted, By: byRule})
	f("is needed by one that runs", fleet.Ready, byRule, use{Use: gateways.Use{Heard: true, Busy: true}, needed: true}, nothing)
	f("waits for its turn", fleet.Pending, byRequest, asked, nothing)
	f("waits for nobody", fleet.Pending, byRequest, quiet, retire(unit.ByDemand))
	f("waits because a person wants it", fleet.Pending, "api", quiet, nothing)
	m.Demand.IdleTimeout = 0
	f("stays", fleet.Ready, byRequest, quiet, nothing)
}

package refusal

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

func TestKnownNamesAtMostTen(t *testing.T) {
	f := func(n int, want string) {
		t.Helper()
		var models []fleet.Model
		for i := range n {
			models = append(models, fleet.Model{ID: fmt.Sprintf("m%02d", i)})
		}
		r := routing.NewRouter()
		if err := r.Apply(fleet.Snapshot{Models: models}); err != nil {
			t.Fatal(err)
		}
		if got := Known(r.Table().Models); !strings.HasSuffix(got, want) {
			t.Errorf("Known of %d: %q, want ...%q", n, got, want)
		}
	}
	f(0, "No model is declared.")
	f(2, "Models: m00, m01.")
	f(10, "m08, m09.")
	f(12, "m08, m09 and 2 more (GET /v1/models lists all).")
}

func TestUnavailableSaysWhatToDo(t *testing.T) {
	f := func(m fleet.Model, code, message string) {
		t.Helper()
		m.ID = "m"
		e := Unavailable(m)
		if e.Code != code || e.Message != message || e.Status != http.StatusServiceUnavailable || e.RetryAfter == 0 {
			t.Errorf("%+v: %+v", m, e)
		}
	}
	f(fleet.Model{Phase: fleet.Stopped}, "model_stopped", `The model "m" is stopped. POST /api/llm/models/m/start starts it.`)
	f(fleet.Model{Phase: fleet.Stopped, OnDemand: true}, "model_loading", `The model "m" is started by a request and is not there yet. Try again shortly.`)
	f(fleet.Model{Phase: fleet.Starting, Message: "connection refused"}, "model_loading", `The model "m" is not ready yet: connection refused. Try again shortly.`)
	f(fleet.Model{Phase: fleet.Starting, Message: "loading weights 43 %"}, "model_loading", `The model "m" is not ready yet: loading weights 43 %. Try again shortly.`)
	f(fleet.Model{Phase: fleet.Pending, Reason: "WaitingForMemory", Message: "GPU 0 is full"}, "model_loading",
		`The model "m" is loading. Try again shortly. Reason: WaitingForMemory: GPU 0 is full.`)
	f(fleet.Model{Phase: fleet.Stopped, Reason: fleet.SupervisorEnding}, "model_loading",
		`The model "m" ended with its supervisor, and starts anew with the next one. Try again shortly.`)
	f(fleet.Model{Phase: fleet.Stopping, Reason: fleet.Restarting}, "model_loading", `The model "m" is restarting. Try again shortly.`)
	f(fleet.Model{Phase: fleet.Draining, Reason: fleet.Removed, OnDemand: true}, "model_stopped", `The model "m" is being taken away and takes no new requests.`)
	f(fleet.Model{Phase: fleet.Failed, Reason: "Exited", Message: "exit 3"}, "model_failed", `The model "m" failed and is not restarted by itself. Reason: Exited: exit 3.`)
	f(fleet.Model{Phase: fleet.Unhealthy}, "model_unavailable", `The model "m" is unhealthy and none of its servers takes requests.`)
}

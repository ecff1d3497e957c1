package runner_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// givenUp is what an earlier supervisor left of a unit in a crash loop.
var givenUp = unit.Before{Starts: 5, Failures: unit.FailureHistory{Times: []time.Time{time.Now().Add(-time.Hour)}, Reason: unit.CrashLoop,
	Message: "it always crashes"}}

func TestNewSupervisorDoesNotStartWhatWasGivenUp(t *testing.T) {
	inBubbleWith(t, runner.Config{Policy: mended, Before: givenUp}, func(*rig) {}, func(t *testing.T, r *rig) {
		require.Equal(t, fleet.Failed, r.runner.First().Phase)
		after(time.Hour)
		r.expect(t, fleet.Failed, 0)
		r.do(t, unit.Start)
		after(time.Second)
		r.expect(t, fleet.Ready, 1)
	})
}

// TestSomebodyStartedWhatWasGivenUp is about containers: a person started one while no supervisor was there.
func TestSomebodyStartedWhatWasGivenUp(t *testing.T) {
	lasting := runner.Config{Policy: unit.Policy{Restart: true, Outlives: true}, Before: givenUp}
	inBubbleWith(t, lasting, func(r *rig) { r.adopts = found() }, func(t *testing.T, r *rig) {
		s := r.expect(t, fleet.Ready, 0)
		require.Empty(t, s.History().Reason)
	})
}

package runner_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// onGPU is the policy of a model whose memory comes back a minute after its server's end, in the tests below.
var onGPU = runner.Config{Policy: unit.Policy{Restart: true, Devices: true}}

func slowly(r *rig) { r.freeing = time.Minute }

func TestStoppedMeansThatTheMemoryIsFree(t *testing.T) {
	inBubbleWith(t, onGPU, slowly, func(t *testing.T, r *rig) {
		r.expect(t, fleet.Ready, 1)
		r.do(t, unit.Stop)
		after(5 * time.Second)
		s := r.expect(t, fleet.Stopping, 1)
		require.Zero(t, s.PID)
		require.Equal(t, "its server has ended, and its GPU gives the memory back", s.Message)
		after(time.Minute)
		require.Empty(t, r.expect(t, fleet.Stopped, 1).Message)
		require.Equal(t, 1, r.freed)
	})
}

func TestMemoryThatIsNotFreed(t *testing.T) {
	inBubbleWith(t, onGPU, func(r *rig) { r.lack = "GPU 0 has 1.0 GiB free" }, func(t *testing.T, r *rig) {
		r.do(t, unit.Stop)
		after(5 * time.Second)
		require.Equal(t, "GPU 0 has 1.0 GiB free", r.expect(t, fleet.Stopped, 1).Message)
	})
}

// TestNobodyWaitsForMemoryTwice: what starts anew waits at its start, and a supervisor that ends does not wait.
func TestNobodyWaitsForMemoryTwice(t *testing.T) {
	for name, wish := range map[string]unit.Kind{"a start": unit.Start, "a restart": unit.Restart} {
		inBubbleWith(t, onGPU, slowly, func(t *testing.T, r *rig) {
			r.do(t, unit.Stop)
			after(5 * time.Second)
			r.expect(t, fleet.Stopping, 1)
			r.do(t, wish)
			after(time.Second)
			require.Equal(t, 1, r.freed, name)
			r.expect(t, fleet.Ready, 2)
			after(2 * time.Minute) // what was waited for is not heard any more
			r.expect(t, fleet.Ready, 2)
		})
	}
	inBubbleWith(t, onGPU, slowly, func(t *testing.T, r *rig) {
		r.do(t, unit.Restart)
		after(5 * time.Second)
		require.Zero(t, r.freed)
		r.expect(t, fleet.Ready, 2)
		r.server.done <- unit.Exit{Code: 1} // nor does what crashes
		after(5 * time.Second)
		require.Zero(t, r.freed)
		r.do(t, unit.Stop)
		after(5 * time.Second)
		require.Equal(t, 1, r.freed)
		r.do(t, unit.Halt)
		r.expect(t, fleet.Stopped, 3)
	})
}

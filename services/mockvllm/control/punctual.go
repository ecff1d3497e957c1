package control

import (
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn"
)

// Punctual has a virtual clock stand still while a request that generates is at work: from before it counts as in flight until it
// waits for the engine, from the end of a fault's delay until it waits again, and at the latest until it is over. So what it
// asks for is asked for at the instant that is its own, however far the clock is about to be moved.
func (c *Control) Punctual(root string, generates map[string]bool, next http.Handler) http.Handler {
	if !c.clock.Virtual() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !generates[r.Method+" "+strings.TrimPrefix(r.URL.Path, root)] {
			next.ServeHTTP(w, r)
			return
		}
		timer := c.clock.NewTimer()
		timer.Hold()
		defer timer.Stop()
		next.ServeHTTP(w, uvicorn.With(r, clock.TimerKey{}, timer))
	})
}

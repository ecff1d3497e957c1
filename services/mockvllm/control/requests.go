package control

import (
	"net/http"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// Journaled records what vLLM would count, so that probes do not push answers out of the journal.
func (c *Control) Journaled(next http.Handler) http.Handler {
	recorded := c.journal.Middleware(c.life.Number, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isUncounted(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		recorded.ServeHTTP(w, r)
	})
}

// uncounted are the paths that the journal leaves out, as vLLM's HTTP metrics do.
var uncounted = []string{"/metrics", "/health", "/load", "/ping", "/version"}

func isUncounted(path string) bool {
	return slices.Contains(uncounted, path) || strings.HasPrefix(path, Paths)
}

// Requests tells the requests that are over, or those with an id.
func (c *Control) Requests(w http.ResponseWriter, r *http.Request) {
	fastapi.Reply(w, http.StatusOK, protocol.Marshal(c.journal.List(r.URL.Query().Get("request_id"))))
}

// ForgetRequests empties the journal.
func (c *Control) ForgetRequests(w http.ResponseWriter, _ *http.Request) {
	c.journal.Clear()
	w.WriteHeader(http.StatusNoContent)
}

// Stats counts the requests.
func (c *Control) Stats(w http.ResponseWriter, _ *http.Request) {
	fastapi.Reply(w, http.StatusOK, protocol.Marshal(c.journal.Stats()))
}

package metrics

import (
	"net/http"
	"strconv"
	"sync"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics/promclient"
)

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// ServeHTTP answers every request whose path begins with /metrics: GET /metrics itself is vLLM's own route, and always
// the plain text. All other paths and methods meet the handler of prometheus_client that is mounted behind it.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || r.URL.Path != "/metrics" {
		promclient.Serve(w, r, m.merged, m.append)
		return
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	*buf = m.append((*buf)[:0], promclient.Format{Merged: m.merged})
	w.Header().Set("Content-Type", "text/plain; version=1.0.0; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(*buf)))
	_, _ = w.Write(*buf) // the client may have left
}

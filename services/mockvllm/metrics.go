package mockvllm

import (
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/config"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/control"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/starlette"
)

func newMetrics(cfg config.Config) *metrics.Metrics {
	e := cfg.Engine()
	return metrics.New(metrics.Options{ModelName: cfg.ServedNames[0], MaxModelLen: cfg.MaxModelLen, ToolParser: cfg.ToolParser != "",
		Ranks: cfg.Scheduler.DataParallel, DisableLogStats: cfg.Scheduler.NoStats, MaxLoRAs: cfg.LoRA.Most(),
		Cache: metrics.CacheConfig{BlockSize: e.BlockSize, Blocks: e.NumBlocks, PrefixCaching: cfg.PrefixCaching}})
}

// counted counts requests by the path of their route. Of the mock's own paths vLLM's metrics know nothing.
func (s *Server) counted(t *starlette.Router, next http.Handler) http.Handler {
	counts := s.metrics.HTTP(next, t.Template)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, control.Paths) {
			next.ServeHTTP(w, r)
			return
		}
		counts.ServeHTTP(w, r)
	})
}

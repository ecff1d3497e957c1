package telemetry

import (
	"fmt"
	"io"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/fluidmcp/fluidmcp/internal/version"
)

// NewLogger writes JSON lines to w from level up ("debug", "info", "warn", "error").
func NewLogger(w io.Writer, level string) (*zap.Logger, error) {
	lvl, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, fmt.Errorf("log level %q: use debug, info, warn or error", level)
	}
	enc := zap.NewProductionEncoderConfig()
	enc.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	enc.EncodeDuration = zapcore.SecondsDurationEncoder
	out := zapcore.Lock(zapcore.AddSync(w))
	return zap.New(&core{zapcore.NewCore(zapcore.NewJSONEncoder(enc), out, lvl), out}), nil
}

// NewRegistry returns a registry with the Go and process collectors and fluidmcp_build_info.
// Each service has one of its own, also when several run in one process.
func NewRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	info := version.Get()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "fluidmcp_build_info",
		Help:        "Build of this service; always 1.",
		ConstLabels: prometheus.Labels{"version": info.Version, "revision": info.Revision, "goversion": info.GoVersion},
	})
	build.Set(1)
	reg.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// MetricsHandler serves a registry in the formats that Prometheus asks for.
func MetricsHandler(reg *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg})
}

package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fluidmcp/fluidmcp/services/gateway/admission"
	"github.com/fluidmcp/fluidmcp/services/gateway/feed"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

var (
	infoDesc      = prometheus.NewDesc("fluidmcp_model_info", "1 for each declared model; its servers call themselves served_name.", []string{"model", "served_name"}, nil)
	inflightDesc  = prometheus.NewDesc("fluidmcp_inflight_requests", "Requests at the servers of a model.", []string{"model"}, nil)
	backendUp     = prometheus.NewDesc("fluidmcp_backend_up", "1 when a backend takes new requests and answered last, to a probe or a request.", []string{"model", "backend"}, nil)
	backendOut    = prometheus.NewDesc("fluidmcp_backend_ejected", "1 while a backend that failed too often in a row is left out.", []string{"model", "backend"}, nil)
	polledDesc    = prometheus.NewDesc("fluidmcp_backend_polled_requests", "Requests at a backend as it tells itself, by state: running or waiting.", []string{"model", "backend", "state"}, nil)
	polledKV      = prometheus.NewDesc("fluidmcp_backend_polled_kv_cache_usage", "Part of a backend's KV cache in use, as it tells itself, 0 to 1.", []string{"model", "backend"}, nil)
	openDesc      = prometheus.NewDesc("fluidmcp_backend_connections", "Connections to model servers, by state: busy or idle.", []string{"state"}, nil)
	backendBusy   = prometheus.NewDesc("fluidmcp_backend_inflight", "Requests at a backend.", []string{"model", "backend"}, nil)
	queuedDesc    = prometheus.NewDesc("fluidmcp_queued_requests", "Requests that wait for their turn at a model.", []string{"model"}, nil)
	connectedDesc = prometheus.NewDesc("fluidmcp_supervisor_connected", "1 while the fleet feed is connected.", nil, nil)
	bufferedDesc  = prometheus.NewDesc("fluidmcp_buffered_bytes", "Large bodies in memory, of requests and of answers that are held back until they are whole, in bytes; what is over 64 KiB of each.", nil, nil)
	ageDesc       = prometheus.NewDesc("fluidmcp_fleet_age_seconds", "Time since the fleet feed was lost; 0 while it is connected.", nil, nil)
)

// State reports gauges from where they are true, at the moment of the scrape. So none can drift, and those of a model
// that left the fleet are gone with it.
type State struct {
	Router *routing.Router
	Feed   *feed.Feed
	Gates  *admission.Gates

	Backends *upstream.Transport
	Buffered func() int64 // bytes of large bodies
}

// Describe implements prometheus.Collector.
func (s *State) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(s, out) }

// Collect implements prometheus.Collector.
func (s *State) Collect(out chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	gauge(connectedDesc, oneIf(s.Feed.Connected()))
	gauge(bufferedDesc, float64(s.Buffered()))
	gauge(ageDesc, s.Feed.Age().Seconds())
	inflight := make(map[string]float64)
	if table := s.Router.Table(); table != nil {
		for _, m := range table.Models {
			inflight[m.ID] = 0
			gauge(infoDesc, 1, m.ID, m.ServedName)
		}
	}
	for _, b := range s.Router.Backends() {
		gauge(backendUp, oneIf(b.Up), b.Model, b.ID)
		gauge(backendBusy, float64(b.Inflight), b.Model, b.ID)
		gauge(backendOut, oneIf(b.Ejected), b.Model, b.ID)
		if b.Loaded {
			gauge(polledDesc, b.Load.Running, b.Model, b.ID, "running")
			gauge(polledDesc, b.Load.Waiting, b.Model, b.ID, "waiting")
			gauge(polledKV, b.Load.KVUse, b.Model, b.ID)
		}
		inflight[b.Model] += float64(b.Inflight)
	}
	open, idle := s.Backends.Connections()
	gauge(openDesc, float64(open-idle), "busy")
	gauge(openDesc, float64(idle), "idle")
	for id, load := range s.Gates.Loads() {
		gauge(queuedDesc, float64(load.Queued), id)
	}
	for id, n := range inflight {
		gauge(inflightDesc, n, id)
	}
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// DroppedLines counts the lines of the log that were lost.
func DroppedLines(count func() uint64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "fluidmcp_log_lines_dropped_total",
		Help: "Lines of the log that could not be written, or for which nobody made room in time."}, func() float64 { return float64(count()) })
}

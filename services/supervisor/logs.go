package supervisor

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/supervisor/logs"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// openLogs makes the logs of what the model servers print, which show no secret of the models file nor of the environment.
func (s *Supervisor) openLogs(file *manifest.File) {
	cfg := logs.Config{FileBytes: int64(s.cfg.LogFileMB) << 20, Files: s.cfg.LogFiles, Failed: s.logFailed}
	if s.cfg.StateDir != "" {
		cfg.Dir = filepath.Join(s.cfg.StateDir, "logs")
	}
	s.logs = logs.New(cfg)
	s.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "fluidmcp_log_write_failures_total",
		Help: "Failed attempts to write the log of a model server to disk. What could not be written is kept in memory alone.",
	}, func() float64 { return float64(s.logs.Failures()) }))
	secrets := []string{s.cfg.Token}
	for _, v := range os.Environ() {
		if name, value, _ := strings.Cut(v, "="); strict.SecretVariable(name) {
			secrets = append(secrets, value)
		}
	}
	s.logs.Hide(secrets)
	s.hide(file)
}

// hide keeps the secrets of a models file out of all that is printed from now on.
func (s *Supervisor) hide(file *manifest.File) { s.logs.Hide(file.Reveal()) }

// logFailed is told when the log of an instance cannot be written to disk, and without an error when it can again.
func (s *Supervisor) logFailed(instance string, err error) {
	log := s.log.With(zap.String("instance", instance))
	if err == nil {
		log.Info("the model's log is written to disk again")
		return
	}
	log.Warn("the model's log cannot be written to disk; it is kept in memory alone, and the model runs on", zap.Error(err))
}

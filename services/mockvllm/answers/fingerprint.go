package answers

import (
	"fmt"
	"hash/fnv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/config"
)

// fingerprint depends on what a model answers with, as vLLM's depends on the engine's configuration.
func fingerprint(cfg config.Config) string {
	parts := "vllm-" + config.Version
	switch cfg.Generation.FingerprintMode {
	case "none":
		return ""
	case "custom":
		return cfg.Generation.FingerprintValue
	case "full":
		for _, degree := range []struct {
			name string
			n    int
		}{{"tp", cfg.Scheduler.TensorParallel}, {"pp", cfg.Scheduler.PipelineParallel}, {"dp", cfg.Scheduler.DataParallel}} {
			if degree.n > 1 {
				parts += fmt.Sprintf("-%s%d", degree.name, degree.n)
			}
		}
	}
	h := fnv.New32a()
	_, _ = fmt.Fprint(h, cfg.Model, cfg.MaxModelLen, cfg.MaxNumSeqs) // a hash takes every write
	return fmt.Sprintf("%s-%08x", parts, h.Sum32())
}

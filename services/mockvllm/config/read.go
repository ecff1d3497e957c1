package config

import (
	"fmt"

	"github.com/fluidmcp/fluidmcp/internal/settings"
)

// Read merges defaults, environment and flags, the later ones winning.
func Read(args []string, env func(string) string) (Config, CommandLine, error) {
	cfg := Default()
	if err := settings.Read("mockvllm", &cfg.Mock); err != nil {
		return cfg, CommandLine{}, err
	}
	if err := fromEnvironment(&cfg, env); err != nil {
		return cfg, CommandLine{}, fmt.Errorf("read environment: %w", err)
	}
	cl, err := parseServe(args, &cfg)
	if err != nil {
		return cfg, cl, err
	}
	name := env("MODEL_NAME")
	if !cl.model && name != "" {
		cfg.Model = name
	}
	if !cl.served {
		cfg.ServedNames = []string{cfg.Model}
		if name != "" {
			cfg.ServedNames = []string{name}
		}
	}
	if most := cfg.Scheduler.MaxBatchedTokens; most != nil && !cl.seqs { // as vLLM's EngineArgs do
		cfg.MaxNumSeqs = min(cfg.MaxNumSeqs, *most)
	}
	return cfg, cl, nil
}

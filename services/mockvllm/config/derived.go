package config

import (
	"fmt"
	"os"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
)

// Engine is the part of the configuration that the engine has, but for the profile and a virtual clock.
func (c Config) Engine() engine.Config {
	e := engine.Default()
	e.MaxNumSeqs, e.MaxModelLen, e.PrefixCaching, e.ChunkedPrefill = c.MaxNumSeqs, c.MaxModelLen, c.PrefixCaching, c.Scheduler.ChunkedPrefill
	e.MaxLoRAs = c.LoRA.Most()
	e.MaxQueuedReqs, e.MaxQueuedTokens = c.Scheduler.MaxQueuedRequests, c.Scheduler.MaxQueuedTokens
	if c.Scheduler.BlockSize != nil {
		e.BlockSize = *c.Scheduler.BlockSize
	}
	if c.Scheduler.Priority {
		e.Policy = engine.Priority
	}
	switch {
	case c.Scheduler.MaxBatchedTokens != nil:
		e.MaxNumBatchedTokens = *c.Scheduler.MaxBatchedTokens
	case !c.Scheduler.ChunkedPrefill:
		e.MaxNumBatchedTokens = max(e.MaxNumBatchedTokens, e.MaxModelLen)
	}
	if c.Scheduler.Blocks != nil {
		e.NumBlocks = *c.Scheduler.Blocks
	} else {
		e.NumBlocks = max(e.NumBlocks, e.MaxModelLen/max(e.BlockSize, 1)+2)
	}
	e.Latency = latency.Model{TTFT: c.Mock.TTFT, ITL: c.Mock.ITL, Scale: c.Mock.TimeScale, Seed: c.Mock.Seed}
	return e
}

// Rules are the faults that flags ask for, and then those of the scenario, whose seed counts if it has one. A request is
// counted by the rate limit first, as a limiter in front of a model would.
func (m MockConfig) Rules() (faults.Set, error) {
	s := faults.Set{Seed: m.Seed}
	if m.RateLimit.Requests > 0 {
		s.Rules = append(s.Rules, faults.Rule{Do: faults.Action{RateLimit: &m.RateLimit.Rate}})
	}
	if m.Delay > 0 {
		s.Rules = append(s.Rules, faults.Rule{Do: faults.Action{Delay: faults.Duration(m.Delay)}})
	}
	if m.ErrorRate > 0 {
		percent := m.ErrorRate * 100
		s.Rules = append(s.Rules, faults.Rule{Match: faults.Match{Percent: &percent}, Do: faults.Action{Status: 500}})
	}
	if m.Shutdown == faults.Hang {
		s.Rules = append(s.Rules, faults.Rule{Do: faults.Action{Shutdown: faults.Hang}})
	}
	if m.Scenario == "" {
		return s, nil
	}
	text, err := os.ReadFile(m.Scenario)
	if err != nil {
		return s, fmt.Errorf("%s: %w", Setting("scenario"), err)
	}
	more, err := faults.Load(m.Scenario, text)
	if err != nil {
		return s, fmt.Errorf("%s: %s: %w", Setting("scenario"), m.Scenario, err)
	}
	if more.Seed != 0 {
		s.Seed = more.Seed
	}
	s.Rules = append(s.Rules, more.Rules...)
	return s, nil
}

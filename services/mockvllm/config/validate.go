package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/reasoning"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser"
)

// Validate returns all faults, joined. What vLLM refuses too is said in its words.
func (c Config) Validate() error {
	var all []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			all = append(all, fmt.Errorf(format, args...))
		}
	}
	check(c.Port >= 0 && c.Port < 1<<16, "--port: %d is not within 0 and 65535", c.Port)
	check(len(c.ServedNames) > 0, "--served-model-name: no name")
	check(c.ShutdownTimeout >= 0, "--shutdown-timeout: %s is negative", c.ShutdownTimeout)
	check(!c.AutoTools || c.ToolParser != "", "Error: --enable-auto-tool-choice requires --tool-call-parser")
	check(!c.Generation.LogOutputs || c.Generation.LogRequests, "Error: --enable-log-outputs requires --enable-log-requests")
	check(c.Generation.KeepAliveComments >= 0, "Error: --sse-keep-alive-interval must be a non-negative integer (0 disables keep-alive comments).")
	check(!c.Generation.PerRequestMetrics || !c.Scheduler.NoStats, "Error: --enable-per-request-metrics requires engine statistics "+
		"logging; remove --disable-log-stats to enable per-request metrics.")
	if c.AutoTools && c.ToolParser != "" {
		all = append(all, toolparser.CheckName(c.ToolParser))
	}
	if c.Generation.ReasoningParser != "" {
		all = append(all, reasoning.CheckName(c.Generation.ReasoningParser))
	}
	m := c.Mock
	check(slices.Contains([]string{generation.Guide, generation.Echo, generation.Random}, m.Answer) || strings.HasPrefix(m.Answer, Scripted),
		"--mock-answer: %q is not known, use guide, echo, random or file:FILE", m.Answer)
	check(m.ErrorRate >= 0 && m.ErrorRate <= 1, "--mock-error-rate: %g is not within 0 and 1", m.ErrorRate)
	check(m.Delay >= 0, "--mock-delay: %s is negative", m.Delay)
	check(m.LoadTime >= 0, "--mock-load-time: %s is negative", m.LoadTime)
	check(m.Profile == "" || m.TTFT == latency.Distribution{} && m.ITL == latency.Distribution{},
		"--mock-profile: a profile says how long everything takes, --mock-ttft and --mock-itl say it too")
	check(m.TimeScale > 0 && m.TimeScale <= 1000, "--mock-time-scale: %g is not more than 0 and at most 1000", m.TimeScale)
	check(m.Clock == "real" || m.Clock == "virtual", "--mock-clock: %q is not known, use real or virtual", m.Clock)
	check(m.Shutdown == "abort" || m.Shutdown == faults.Hang, "--mock-shutdown: %q is not known, use abort or hang", m.Shutdown)
	return errors.Join(append(all, c.Engine().Validate())...)
}

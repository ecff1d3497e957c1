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

// Setting names one of the mock's own settings as its flag and its variable: an error is read by who set either.
func Setting(name string) string {
	return "--mock-" + name + " (MOCKVLLM_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + ")"
}

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
	own := func(ok bool, name, format string, args ...any) {
		check(ok, "%s: %s", Setting(name), fmt.Sprintf(format, args...))
	}
	own(slices.Contains([]string{generation.Guide, generation.Echo, generation.Random}, m.Answer) || strings.HasPrefix(m.Answer, Scripted), "answer",
		"%q is not known, use guide, echo, random or file:FILE", m.Answer)
	own(m.ErrorRate >= 0 && m.ErrorRate <= 1, "error-rate", "%g is not within 0 and 1", m.ErrorRate)
	own(m.Delay >= 0, "delay", "%s is negative", m.Delay)
	own(m.LoadTime >= 0, "load-time", "%s is negative", m.LoadTime)
	own(m.Profile == "" || m.TTFT == latency.Distribution{} && m.ITL == latency.Distribution{}, "profile",
		"a profile says how long everything takes, --mock-ttft and --mock-itl say it too")
	own(m.TimeScale > 0 && m.TimeScale <= 1000, "time-scale", "%g is not more than 0 and at most 1000", m.TimeScale)
	own(m.Clock == "real" || m.Clock == "virtual", "clock", "%q is not known, use real or virtual", m.Clock)
	own(m.Shutdown == "abort" || m.Shutdown == faults.Hang, "shutdown", "%q is not known, use abort or hang", m.Shutdown)
	return errors.Join(append(all, c.Engine().Validate())...)
}

package config

import (
	"encoding"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/cli"
)

// ownOptions are those that only a mock has, in the form of cli's table.
const ownOptions = `--mock-ttft str
--mock-itl str
--mock-profile str
--mock-time-scale float
--mock-clock str
--mock-delay str
--mock-load-time str
--mock-scenario str
--mock-shutdown str
--mock-answer str
--mock-error-rate float
--mock-rate-limit str
--mock-seed int
--mock-worker flag
`

// setter takes the values of an option, which are of its type; a switch gets "true" or "false".
type setter = func(c *Config, values []string) *flagError

// setters are the options that change something here. vLLM's others are accepted and named in the log.
var setters = map[string]setter{
	"--model":                      word(func(c *Config) *string { return &c.Model }),
	"--tokenizer":                  word(func(c *Config) *string { return &c.Tokenizer }),
	"--chat-template":              word(func(c *Config) *string { return &c.ChatTemplate }),
	"--served-model-name":          words(func(c *Config) *[]string { return &c.ServedNames }),
	"--host":                       word(func(c *Config) *string { return &c.Host }),
	"--port":                       integer(func(c *Config) *int { return &c.Port }),
	"--api-key":                    words(func(c *Config) *[]string { return &c.APIKeys }),
	"--max-model-len":              setMaxModelLen,
	"--max-num-seqs":               integer(func(c *Config) *int { return &c.MaxNumSeqs }),
	"--enable-prefix-caching":      toggle(func(c *Config) *bool { return &c.PrefixCaching }),
	"--shutdown-timeout":           seconds(func(c *Config) *time.Duration { return &c.ShutdownTimeout }),
	"--tool-call-parser":           word(func(c *Config) *string { return &c.ToolParser }),
	"--enable-auto-tool-choice":    toggle(func(c *Config) *bool { return &c.AutoTools }),
	"--disable-uvicorn-access-log": func(c *Config, v []string) *flagError { c.AccessLog = v[0] != "true"; return nil },

	"--root-path":                        setRootPath,
	"--allowed-origins":                  list(func(c *Config) *[]string { return &c.HTTP.Origins }),
	"--allowed-methods":                  list(func(c *Config) *[]string { return &c.HTTP.Methods }),
	"--allowed-headers":                  list(func(c *Config) *[]string { return &c.HTTP.Headers }),
	"--allow-credentials":                toggle(func(c *Config) *bool { return &c.HTTP.Credentials }),
	"--enable-request-id-headers":        toggle(func(c *Config) *bool { return &c.HTTP.RequestIDs }),
	"--disable-access-log-for-endpoints": setQuietPaths,

	"--disable-fastapi-docs":           toggle(func(c *Config) *bool { return &c.Routes.NoDocs }),
	"--enable-scale-out":               toggle(func(c *Config) *bool { return &c.Routes.ScaleOut }),
	"--tokens-only":                    toggle(func(c *Config) *bool { return &c.Routes.TokensOnly }),
	"--enable-tokenizer-info-endpoint": toggle(func(c *Config) *bool { return &c.Routes.TokenizerInfo }),
	"--enable-fault-tolerance":         toggle(func(c *Config) *bool { return &c.Routes.FaultTolerance }),
	"--enable-server-load-tracking":    toggle(func(c *Config) *bool { return &c.Routes.ServerLoad }),
	"--profiler-config":                setProfiler,

	"--enable-lora":  toggle(func(c *Config) *bool { return &c.LoRA.Enabled }),
	"--lora-modules": setAdapters,
	"--max-loras":    integer(func(c *Config) *int { return &c.LoRA.Max }),
	"--runner":       word(func(c *Config) *string { return &c.Pooling.Runner }),
	"--convert":      word(func(c *Config) *string { return &c.Pooling.Convert }),

	"--reasoning-parser":             word(func(c *Config) *string { return &c.Generation.ReasoningParser }),
	"--max-logprobs":                 integer(func(c *Config) *int { return &c.Generation.MaxLogprobs }),
	"--override-generation-config":   word(func(c *Config) *string { return &c.Generation.Defaults }),
	"--default-chat-template-kwargs": word(func(c *Config) *string { return &c.Generation.TemplateKwargs }),
	"--response-role":                word(func(c *Config) *string { return &c.Generation.ResponseRole }),
	"--trust-request-chat-template":  toggle(func(c *Config) *bool { return &c.Generation.TrustTemplate }),
	"--return-tokens-as-token-ids":   toggle(func(c *Config) *bool { return &c.Generation.TokensAsIDs }),
	"--enable-prompt-tokens-details": toggle(func(c *Config) *bool { return &c.Generation.PromptTokensDetails }),
	"--enable-per-request-metrics":   toggle(func(c *Config) *bool { return &c.Generation.PerRequestMetrics }),
	"--enable-force-include-usage":   toggle(func(c *Config) *bool { return &c.Generation.ForceUsage }),
	"--fingerprint-mode":             word(func(c *Config) *string { return &c.Generation.FingerprintMode }),
	"--fingerprint-value":            word(func(c *Config) *string { return &c.Generation.FingerprintValue }),
	"--enable-log-requests":          toggle(func(c *Config) *bool { return &c.Generation.LogRequests }),
	"--enable-log-outputs":           toggle(func(c *Config) *bool { return &c.Generation.LogOutputs }),
	"--sse-keep-alive-interval":      seconds(func(c *Config) *time.Duration { return &c.Generation.KeepAliveComments }),

	"--max-num-batched-tokens":  setMaxBatchedTokens,
	"--block-size":              limit(func(c *Config) **int { return &c.Scheduler.BlockSize }),
	"--num-gpu-blocks-override": limit(func(c *Config) **int { return &c.Scheduler.Blocks }),
	"--max-num-queued-reqs":     limit(func(c *Config) **int { return &c.Scheduler.MaxQueuedRequests }),
	"--max-num-queued-tokens":   limit(func(c *Config) **int { return &c.Scheduler.MaxQueuedTokens }),
	"--scheduling-policy":       func(c *Config, v []string) *flagError { c.Scheduler.Priority = v[0] == "priority"; return nil },
	"--enable-chunked-prefill":  toggle(func(c *Config) *bool { return &c.Scheduler.ChunkedPrefill }),
	"--stream-interval":         integer(func(c *Config) *int { return &c.Scheduler.StreamInterval }),
	"--data-parallel-size":      integer(func(c *Config) *int { return &c.Scheduler.DataParallel }),
	"--tensor-parallel-size":    integer(func(c *Config) *int { return &c.Scheduler.TensorParallel }),
	"--pipeline-parallel-size":  integer(func(c *Config) *int { return &c.Scheduler.PipelineParallel }),
	"--disable-log-stats":       toggle(func(c *Config) *bool { return &c.Scheduler.NoStats }),
	"--gpu-memory-utilization":  number(func(c *Config) *float64 { return &c.Scheduler.GPUMemoryFraction }),

	"--mock-ttft":       text(func(c *Config) encoding.TextUnmarshaler { return &c.Mock.TTFT }),
	"--mock-itl":        text(func(c *Config) encoding.TextUnmarshaler { return &c.Mock.ITL }),
	"--mock-profile":    word(func(c *Config) *string { return &c.Mock.Profile }),
	"--mock-time-scale": number(func(c *Config) *float64 { return &c.Mock.TimeScale }),
	"--mock-clock":      word(func(c *Config) *string { return &c.Mock.Clock }),
	"--mock-delay":      duration(func(c *Config) *time.Duration { return &c.Mock.Delay }),
	"--mock-load-time":  duration(func(c *Config) *time.Duration { return &c.Mock.LoadTime }),
	"--mock-scenario":   word(func(c *Config) *string { return &c.Mock.Scenario }),
	"--mock-shutdown":   word(func(c *Config) *string { return &c.Mock.Shutdown }),
	"--mock-worker":     toggle(func(c *Config) *bool { return &c.Mock.Worker }),
	"--mock-answer":     word(func(c *Config) *string { return &c.Mock.Answer }),
	"--mock-error-rate": number(func(c *Config) *float64 { return &c.Mock.ErrorRate }),
	"--mock-rate-limit": text(func(c *Config) encoding.TextUnmarshaler { return &c.Mock.RateLimit }),
	"--mock-seed":       func(c *Config, v []string) *flagError { c.Mock.Seed, _ = cli.Int(v[0]); return nil },
}

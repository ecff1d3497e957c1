package metrics

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics/promclient"
)

// Options are what the command line decides.
type Options struct {
	ModelName       string // the first served name
	MaxModelLen     int    // tokens; decides the buckets of lengths
	Ranks           int    // data-parallel engines; 0 is 1
	APIServers      int    // more than 1: the text of merged processes
	DisableLogStats bool   // no vllm: families, but the tool parser's
	ToolParser      bool
	MaxLoRAs        int // 0: LoRA is off
	Cache           CacheConfig
	Now             func() time.Time // what HTTP requests are timed by, such as a virtual clock's; nil is time.Now
}

// Metrics is everything that GET /metrics tells. All methods may be called at any time from any goroutine.
type Metrics struct {
	opts      Options
	merged    bool
	process   *promclient.Process
	mu        sync.Mutex           // guards all series
	families  []*promclient.Family // in the order of the text
	engines   engines
	rejected  [2]*promclient.Series // by QueueLimit
	loras     *promclient.Family    // nil when LoRA is off
	lastLoRAs string                // names of the adapters in the last step, for which lastLoRA stands
	lastLoRA  *promclient.Series
	parser    map[ToolCall]*promclient.Series
	http      *httpFamilies

	operations [2]operations // by Operations
}

// New makes metrics at zero, with all label sets that vLLM has from the start.
func New(o Options) *Metrics {
	o.Ranks = max(1, o.Ranks)
	if o.Now == nil {
		o.Now = time.Now
	}
	m := &Metrics{opts: o, merged: o.APIServers > 1, process: promclient.NewProcess(), http: newHTTP(), parser: map[ToolCall]*promclient.Series{}}
	b := &builder{model: o.ModelName, ranks: o.Ranks}
	m.engines = b.table(o.MaxModelLen)
	m.rejected = b.rejected
	if o.MaxLoRAs > 0 {
		m.loras = b.family(promclient.Gauge, "lora_requests_info", "Running stats on lora requests.")
	}
	cache := b.family(promclient.Gauge, "cache_config_info", "Information of the LLMEngine CacheConfig")
	for rank := range o.Ranks {
		cache.With(o.Cache.labels(o.MaxModelLen, rank)).Set(1)
	}
	m.Awake()
	if !m.merged {
		m.families = append(promclient.Python(), m.process.Families...)
	}
	if o.DisableLogStats {
		b.families = nil
	}
	var parser []*promclient.Family
	if o.ToolParser {
		parser = m.toolParser()
	}
	if m.merged { // a family is as old as its first label set, and requests come later than the parser
		m.families = slices.Concat(m.families, b.families, parser, m.http.families())
	} else {
		m.families = slices.Concat(m.families, b.families, m.http.families(), parser)
	}
	return m
}

// append writes all families to b.
func (m *Metrics) append(b []byte, f promclient.Format) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.process.Refresh()
	return f.Append(b, m.families)
}

// QueueLimit is what an admission can be rejected by.
type QueueLimit int

// The two limits, --max-num-queued-reqs and --max-num-queued-tokens.
const (
	MaxQueuedRequests QueueLimit = iota
	MaxQueuedTokens
)

// Rejected counts a request that a queue limit kept out.
func (m *Metrics) Rejected(by QueueLimit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rejected[by].Inc()
}

// ToolCall is one run of the tool parser: over a whole choice, or over one delta of a stream.
type ToolCall struct {
	Streaming bool
	Called    bool   // it found a tool call
	API       string // chat_completions, responses or other
}

func (m *Metrics) toolParser() []*promclient.Family {
	f := &promclient.Family{Name: "vllm:tool_call_parser_invocations", Kind: promclient.Counter, Help: "Total number of ToolParser invocations. " +
		"Non-streaming increments once per choice; streaming increments once per delta."}
	for _, mode := range []string{"streaming", "non_streaming"} {
		for _, outcome := range []string{"tool_call", "no_tool_call"} {
			for _, api := range []string{"chat_completions", "responses", "other"} {
				m.parser[ToolCall{mode == "streaming", outcome == "tool_call", api}] = f.With(
					promclient.Labels{"model_name": m.opts.ModelName, "mode": mode, "outcome": outcome, "request_type": api})
			}
		}
	}
	return []*promclient.Family{f}
}

// ParsedTools counts runs of the tool parser. Without one there is nothing to count.
func (m *Metrics) ParsedTools(c ToolCall, runs int) {
	if runs == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.parser[c]; s != nil {
		s.Add(runs)
	}
}

// lora notes which adapters have requests at the time of a step. vLLM names the same ones as running and as waiting.
func (m *Metrics) lora(adapters []string, now time.Time) {
	names := strings.Join(adapters, ",")
	if m.lastLoRA == nil || m.lastLoRAs != names {
		if m.loras.Len() >= maxSets {
			return
		}
		m.lastLoRAs = names
		m.lastLoRA = m.loras.Of(promclient.Labels{"max_lora": strconv.Itoa(m.opts.MaxLoRAs), "running_lora_adapters": names, "waiting_lora_adapters": names})
	}
	m.lastLoRA.Set(promclient.Unix(now))
}

package config

import (
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/lora"
)

// Version is the version of vLLM that is imitated.
const Version = "0.32.0"

// Config is what the command line and vLLM's environment say.
type Config struct {
	Host            string   // "" is all interfaces
	Port            int      // 0 is a free one
	Model           string   // root of the model card
	Tokenizer       string   // directory of a Hugging Face tokenizer; "" is the model's, if it is a directory, or the tiny one
	ChatTemplate    string   // a file or the template itself; "" is the tokenizer's
	ServedNames     []string // the first is canonical; never empty once resolved
	APIKeys         []string // none: no authentication
	MaxModelLen     int      // tokens of prompt and answer
	MaxNumSeqs      int      // requests that run at a time
	PrefixCaching   bool     // blocks of the KV cache are shared by what they hold
	ToolParser      string   // "" refuses tools as vLLM does without a parser
	AutoTools       bool     // needs a ToolParser
	ShutdownTimeout time.Duration
	AccessLog       bool

	HTTP       HTTPConfig
	Routes     RouteConfig
	LoRA       LoRAConfig
	Pooling    PoolingConfig
	Generation GenerationConfig
	Scheduler  SchedulerConfig
	Mock       MockConfig
}

// HTTPConfig is how every answer goes out.
type HTTPConfig struct {
	RootPath    string   // prefix that a proxy in front has taken off, or not
	Origins     []string // that may read answers from a browser; "*" is any
	Methods     []string // that they may use
	Headers     []string // that they may send
	Credentials bool
	RequestIDs  bool          // X-Request-Id on every answer
	KeepAlive   time.Duration // an idle connection is closed after it
	QuietPaths  []string      // paths that are not in the access log
}

// RouteConfig is which routes exist beyond vLLM's usual ones.
type RouteConfig struct {
	NoDocs         bool // no /docs, /redoc and /openapi.json
	Dev            bool // VLLM_SERVER_DEV_MODE
	ScaleOut       bool
	TokensOnly     bool
	TokenizerInfo  bool
	Profiler       bool
	FaultTolerance bool
	ServerLoad     bool // /load counts requests
}

// LoRAConfig is the adapters.
type LoRAConfig struct {
	Enabled bool
	Modules []lora.Adapter // loaded from the start
	Runtime bool           // VLLM_ALLOW_RUNTIME_LORA_UPDATING: clients load and unload
	Offline bool           // HF_HUB_OFFLINE: no repository of the hub is there
	Max     int            // in one step
}

// Most is Max where there are adapters at all.
func (c LoRAConfig) Most() int {
	if !c.Enabled {
		return 0
	}
	return c.Max
}

// PoolingConfig makes a model of vectors or of classes out of the model.
type PoolingConfig struct {
	Runner  string // auto, generate, pooling, draft
	Convert string // auto, none, embed, classify
}

// Task is what a pooling model does, embed or classify; "" is a model that generates.
func (c PoolingConfig) Task() string {
	switch {
	case c.Runner != "pooling":
		return ""
	case c.Convert == "classify":
		return "classify"
	}
	return "embed"
}

// GenerationConfig is how answers are made and what they say of themselves.
type GenerationConfig struct {
	ReasoningParser     string
	MaxLogprobs         int    // -1 is the whole vocabulary
	Defaults            string // --override-generation-config, a JSON object or ""
	TemplateKwargs      string // --default-chat-template-kwargs, a JSON object or ""
	ResponseRole        string
	TrustTemplate       bool // requests may bring a chat template
	TokensAsIDs         bool // --return-tokens-as-token-ids
	PromptTokensDetails bool
	PerRequestMetrics   bool
	ForceUsage          bool          // --enable-force-include-usage
	FingerprintMode     string        // full, hash, custom, none
	FingerprintValue    string        // for custom
	KeepAliveComments   time.Duration // --sse-keep-alive-interval; 0 sends none
	StoreResponses      bool          // VLLM_ENABLE_RESPONSES_API_STORE
	AnyModel            bool          // VLLM_SKIP_MODEL_NAME_VALIDATION
	LogRequests         bool          // LogOutputs needs it; there is no such log here
	LogOutputs          bool
}

// SchedulerConfig is what the engine is told. Nil is no limit or vLLM's own choice.
type SchedulerConfig struct {
	MaxBatchedTokens  *int
	BlockSize         *int // tokens
	Blocks            *int
	MaxQueuedRequests *int
	MaxQueuedTokens   *int
	Priority          bool // --scheduling-policy priority
	ChunkedPrefill    bool
	StreamInterval    int           // tokens in a frame
	DataParallel      int           // ranks
	TensorParallel    int           // processes of a rank
	PipelineParallel  int           // stages of a rank
	NoStats           bool          // --disable-log-stats
	StatsInterval     time.Duration // between the lines about the engine: VLLM_LOG_STATS_INTERVAL
	OutlivesEngine    bool          // VLLM_KEEP_ALIVE_ON_ENGINE_DEATH
	GPUMemoryFraction float64
}

// MockConfig is what a real server does not have: the --mock-* flags and the MOCKVLLM_* environment.
type MockConfig struct {
	TTFT      latency.Distribution `split_words:"true"` // time to first token, such as 200ms, normal:200ms,20ms or lognormal:200ms,50ms
	ITL       latency.Distribution `split_words:"true"` // time between tokens, in the same forms
	Profile   string               `split_words:"true"` // JSON file that says how long steps take, instead of both
	TimeScale float64              `split_words:"true"` // these times are multiplied by it
	Clock     string               `split_words:"true"` // real, or virtual: it stands still until /mock/clock advances it
	Delay     time.Duration        `split_words:"true"` // before each answer
	ErrorRate float64              `split_words:"true"` // share of answers that are a 500, 0 to 1
	RateLimit faults.RateFlag      `split_words:"true"` // requests and time, such as 10/60s; 429 beyond it
	Seed      int64                `split_words:"true"` // decides which answers are errors, and how delays vary
	Answer    string               `split_words:"true"` // what answers say: guide, echo, random, or file: and the path of a JSON file
	LoadTime  time.Duration        `split_words:"true"` // before the port listens; connections are refused meanwhile
	Scenario  string               `split_words:"true"` // JSON or YAML file of fault rules, after those of the settings above
	Worker    bool                 `split_words:"true"` // a second process, whose end is that of the engine
	Shutdown  string               `split_words:"true"` // what SIGTERM does to requests in flight: abort, or hang as a real server may
}

// Scripted begins an answer mode that names a file.
const Scripted = generation.File + ":"

const statsInterval = 10 * time.Second

// Default is vLLM's own defaults. A model's context is not known without the model; 40960 is that of the default model.
func Default() Config {
	const model = "Qwen/Qwen3-0.6B"
	return Config{Port: 8000, Model: model, ServedNames: []string{model}, MaxModelLen: 40960, MaxNumSeqs: 256, PrefixCaching: true,
		AccessLog: true, Mock: MockConfig{Answer: generation.Guide, TimeScale: 1, Clock: "real", Shutdown: "abort"},
		HTTP:       HTTPConfig{Methods: []string{"*"}, Headers: []string{"*"}, KeepAlive: 5 * time.Second},
		LoRA:       LoRAConfig{Max: 1},
		Pooling:    PoolingConfig{Runner: "auto", Convert: "auto"},
		Generation: GenerationConfig{MaxLogprobs: 20, ResponseRole: "assistant", FingerprintMode: "full"},
		Scheduler: SchedulerConfig{ChunkedPrefill: true, StreamInterval: 1, DataParallel: 1, TensorParallel: 1, PipelineParallel: 1,
			StatsInterval: statsInterval, GPUMemoryFraction: 0.92},
	}
}

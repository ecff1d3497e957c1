package classify

import (
	"regexp"

	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// rule is what a line says of the end of the server that printed it.
type rule struct {
	line      *regexp.Regexp // without prefix; its first group, if any, is told to people
	reason    unit.Reason
	say       string // for people, before what the line says
	mend      string // what they can do, after it
	permanent bool
	starting  bool // only of a server that has not served yet: one that does logs errors of requests in the same words
	usage     bool // only with exit code 2, that of a command line that was not understood
}

// rules, the more telling ones first. The texts of vLLM 0.32 that a CPU never prints are from its source:
// v1/core/kv_cache_utils.py (_check_enough_kv_cache_memory), v1/worker/utils.py (request_memory), v1/worker/gpu_model_runner.py.
// CUDA's are PyTorch's (c10/cuda/CUDACachingAllocator.cpp), those of the Hub transformers' (utils/hub.py) and huggingface_hub's (errors.py).
var rules = []rule{
	// argparse; vLLM's own checks of what it was told raise pydantic's ValidationError, whose second line has the text.
	{line: regexp.MustCompile(`\berror: (unrecognized arguments: .+|argument .+|the following arguments are required: .+|ambiguous option: .+)`),
		reason: unit.BadArguments, say: "the server does not understand its command line", permanent: true, usage: true},
	{line: regexp.MustCompile(`\b(Error: --[a-z-]+ requires .+)`),
		reason: unit.BadArguments, say: "the command line contradicts itself", permanent: true, starting: true},

	{line: regexp.MustCompile(`(No available memory for the cache blocks\.)`),
		reason: unit.GPUOutOfMemory, say: "the model leaves no memory for its KV cache", mend: "raise --gpu-memory-utilization, or use more GPUs (--tensor-parallel-size)", permanent: true, starting: true},
	{line: regexp.MustCompile(`(To serve at least one request with the models?'s max seq len .+? is larger than the available KV cache memory \([^)]*\)\.(?: Based on the available memory, the estimated maximum model length is \d+\.)?)`),
		reason: unit.GPUOutOfMemory, say: "one request of the greatest length does not fit into the memory", mend: "lower --max-model-len or raise --gpu-memory-utilization", permanent: true, starting: true},
	{line: regexp.MustCompile(`(The model's max seq len \(\d+\) is larger than the maximum number of tokens that can be stored in KV cache \(\d+\))`), // vLLM before 0.9
		reason: unit.GPUOutOfMemory, say: "one request of the greatest length does not fit into the memory", mend: "lower --max-model-len or raise --gpu-memory-utilization", permanent: true, starting: true},
	{line: regexp.MustCompile(`(Free memory on device .+? on startup is less than .+? \([^)]*\))`), // another process may go away
		reason: unit.GPUOutOfMemory, say: "something else holds the GPU's memory", mend: "free it, or lower --gpu-memory-utilization", starting: true},
	{line: regexp.MustCompile(`((?:CUDA|HIP|XPU) out of memory(?:.{0,150}$|.{0,150}\. |.{0,120}))`),
		reason: unit.GPUOutOfMemory, say: "the GPU has no memory left", mend: "lower --gpu-memory-utilization, --max-model-len or --max-num-seqs"},
	{line: regexp.MustCompile(`(CUDA error: out of memory|Cuda failure .{0,10}out of memory|cudaErrorMemoryAllocation|CUBLAS_STATUS_ALLOC_FAILED)`), // CUDA itself, NCCL, cuBLAS
		reason: unit.GPUOutOfMemory, say: "the GPU has no memory left", mend: "lower --gpu-memory-utilization, --max-model-len or --max-num-seqs"},
	{line: regexp.MustCompile(`(DefaultCPUAllocator: can't allocate memory.*|std::bad_alloc|\[Errno 12\] Cannot allocate memory|^MemoryError\b)`),
		reason: unit.HostOOMKilled, say: "the machine has no memory left"},

	{line: regexp.MustCompile(`(You are trying to access a gated repo\.|Cannot access gated repo for url \S+|Access to model \S+ is restricted.*)`),
		reason: unit.AuthRequired, say: "the model has to be asked for", mend: "ask for access on its page and give the server a token in HF_TOKEN", permanent: true, starting: true},
	{line: regexp.MustCompile(`(Invalid credentials in Authorization header|Invalid user token|Invalid username or password)`),
		reason: unit.AuthRequired, say: "the hub does not accept the token", mend: "correct HF_TOKEN", permanent: true, starting: true},
	{line: regexp.MustCompile(`(\S+ is not a local folder and is not a valid model identifier|Repository Not Found for url: \S+|Repo id must .+|Invalid repository ID or local directory specified:.*)`),
		reason: unit.ModelNotFound, say: "there is no such model", mend: "correct its name; a private one needs a token in HF_TOKEN", permanent: true, starting: true},
	{line: regexp.MustCompile(`(Cannot find .+ and outgoing traffic has been disabled)`),
		reason: unit.ModelNotFound, say: "the model is not in the cache, and the server may not download it", mend: "unset HF_HUB_OFFLINE, or download it first", permanent: true, starting: true},
	{line: regexp.MustCompile(`(\S+ is not a valid git identifier|Revision Not Found for url: \S+)`),
		reason: unit.ModelNotFound, say: "the model has no such revision", mend: "correct --revision", permanent: true, starting: true},
	{line: regexp.MustCompile(`(Cannot find any model weights with .+|\S+ does not appear to have a file named \S+)`),
		reason: unit.ModelNotFound, say: "the model is not complete", permanent: true, starting: true},

	{line: regexp.MustCompile(`(?i)(?:Error\b|\bbind\b|\blisten\b).*(address already in use)`), // "Address already in use. Retrying" is a warning
		reason: unit.PortInUse, say: "another process holds the port", mend: "free it or change --port", starting: true},

	{line: regexp.MustCompile(`^\s*Value error, (.+?)(?: \[type=\w+.*)?$`),
		reason: unit.BadArguments, say: "the server refuses its settings", permanent: true, starting: true},
	{line: regexp.MustCompile(`(Model architectures .+ are not supported.*|Unknown quantization method: .+|.+ must be divisible by tensor parallel size.*|invalid tool call parser: .+|invalid reasoning parser: .+|.+ is not supported on current platform\.?)`),
		reason: unit.BadArguments, say: "the server refuses its settings", permanent: true, starting: true},
}

var (
	// exception is the last line of a traceback.
	exception = regexp.MustCompile(`^((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception|Interrupt|Exit)(?:: .+)?)$`)
	// echo is an exception that only tells of another one.
	echo = regexp.MustCompile(`Engine core initialization failed|WorkerProc initialization failed|EngineDeadError|EngineCore encountered an issue|^(?:asyncio\.)?(?:exceptions\.)?CancelledError|^SystemExit|cannot schedule new futures`)
	// fatal is the one line of a program that is not written in Python, or of a shell.
	fatal = regexp.MustCompile(`(?i)^(?:mockvllm|fatal|panic|error)\b.{0,20}?: .+|: (?:command not found|No such file or directory|Permission denied)$|No space left on device`)
	// lost is how vLLM tells that one of its processes is gone.
	lost = regexp.MustCompile(`died unexpectedly|engine core exited unexpectedly|Engine core proc .+ died`)
)

package engine

import "time"

// Observer is told of each step, from one goroutine at a time. The iteration and its slices are used again for the next
// step: what is to be kept must be copied.
type Observer interface {
	Step(it *Iteration)
}

// Iteration is what one step did and how the engine stands after it: vLLM's SchedulerStats and IterationStats.
type Iteration struct {
	At time.Time // when the tokens of the step were there

	// Repeats is how many more steps followed at the same instant of which all the same is to be told: they admitted, began and
	// ended nothing. It is 0 for most.
	Repeats int

	// How the engine stands.
	Running  int
	Waiting  int      // for capacity: a place, tokens of the budget or blocks
	Deferred int      // waiting for something else: more LoRA adapters than may run at a time
	KVUsage  float64  // share of the KV cache in use, 0 to 1; blocks that are only remembered are free
	LoRAs    []string // adapters that have a request here, in the order in which they came

	// Requests that this step admitted and that looked into the prefix cache, and tokens of these. One that was preempted and
	// comes back is not counted again.
	PrefixRequests, PrefixQueries, PrefixHits int
	PrefixReset                               bool // the prefix cache was forgotten since the step before

	// Outputs is how many sequences got a token or their end. Where it is 0, vLLM has no IterationStats and observes
	// nothing of what follows, TotalTokens in particular.
	Outputs int

	PromptComputed int // tokens of the prompts whose first token came now, without those from the prefix cache
	PromptCached   int // tokens of these prompts from the prefix cache
	Generated      int // tokens
	Preemptions    int // of the sequences that got a token now: vLLM tells of a preemption with the next token

	FirstTokens []time.Duration // time to first token, from the arrival; or to the abort by the engine, as in vLLM
	Gaps        []time.Duration // inter-token latencies; or the time from the last token to the abort by the engine
	Finished    []Finished      // sequences that ended, but not those whose client left
}

// begin forgets the step before. How the engine stands is said at the end.
func (it *Iteration) begin() {
	it.Repeats, it.PrefixRequests, it.PrefixQueries, it.PrefixHits, it.PrefixReset = 0, 0, 0, 0, false
	it.Outputs, it.PromptComputed, it.PromptCached, it.Generated, it.Preemptions = 0, 0, 0, 0, 0
	it.LoRAs, it.FirstTokens, it.Gaps, it.Finished = it.LoRAs[:0], it.FirstTokens[:0], it.Gaps[:0], it.Finished[:0]
}

// TotalTokens is what vllm:iteration_tokens_total observes.
func (it *Iteration) TotalTokens() int { return it.PromptComputed + it.Generated }

// Finished is a sequence that ended: vLLM's FinishedRequestStats.
type Finished struct {
	ID        string // of the request
	Reason    string // stop, length, abort, error or repetition
	Prompt    int    // tokens
	Cached    int    // tokens of the prompt that came from the prefix cache
	Generated int    // tokens
	MaxTokens int    // parameter of the request; 0 is none, and not observed

	// N is the parameter n, given with the last sequence of a request and 0 with the others. MaxGenerated is the length
	// of the longest sequence of the request. vLLM observes both once for each request.
	N, MaxGenerated int

	Preemptions int

	// The phases of a sequence without a token are 0. (vLLM says 0 for Queue, and the age of the machine for Prefill.)
	Queue     time.Duration // from its arrival in the queue to its first step
	Prefill   time.Duration // from there to the first token
	Decode    time.Duration // from there to the last token
	Inference time.Duration // Prefill and Decode
	EndToEnd  time.Duration // from the arrival to the end

	PerOutputToken time.Duration // Decode for each token after the first, 0 without any
}

// Computed is how many tokens of the prompt had to be computed.
func (f *Finished) Computed() int { return f.Prompt - f.Cached }

package engine

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
)

// Policy is the order in which requests are admitted, and given up when there are no blocks left.
type Policy string

// FCFS goes by arrival, Priority by priority, the lowest number first, and then by arrival.
const (
	FCFS     Policy = "fcfs"
	Priority Policy = "priority"
)

// Config is in vLLM's terms.
type Config struct {
	MaxNumSeqs          int  // sequences that run at a time
	MaxNumBatchedTokens int  // tokens of a step
	MaxModelLen         int  // tokens of a sequence
	BlockSize           int  // tokens of a block of the KV cache
	NumBlocks           int  // blocks of the KV cache; one of them is never used
	PrefixCaching       bool // blocks are remembered by what they hold
	ChunkedPrefill      bool // a prompt may take several steps
	Policy              Policy
	MaxLoRAs            int  // adapters of a step; 0 is no limit
	MaxQueuedReqs       *int // sequences that have not ended; nil is no limit
	MaxQueuedTokens     *int // tokens of prompts that wait for the first token; nil is no limit

	Latency latency.Model
	Clock   clock.Clock
}

// Default is what the CPU build of vLLM has on a small machine: 1 GiB of KV cache.
func Default() Config {
	return Config{MaxNumSeqs: 256, MaxNumBatchedTokens: 2048, MaxModelLen: 40960, BlockSize: 128, NumBlocks: 8192,
		PrefixCaching: true, ChunkedPrefill: true, Policy: FCFS, Clock: clock.Real{}}
}

// maxBlocks keeps the bookkeeping of a cache below 1 GB.
const maxBlocks = 1 << 24

// Validate returns all faults, joined, by the names of vLLM's flags.
func (c Config) Validate() error {
	var all []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			all = append(all, fmt.Errorf(format, args...))
		}
	}
	if c.MaxModelLen < 0 {
		all = append(all, positive("ModelConfig", "greater_than_equal", "greater than or equal to -1", count{"max_model_len", c.MaxModelLen}))
	}
	check(c.MaxModelLen != 0, "max_model_len must be a positive integer, got int: 0. Example: max_model_len=2048")
	all = append(all, positive("CacheConfig", "greater_than", "greater than 0", count{"block_size", c.BlockSize}),
		positive("SchedulerConfig", "greater_than_equal", "greater than or equal to 1",
			count{"max_num_batched_tokens", c.MaxNumBatchedTokens}, count{"max_num_seqs", c.MaxNumSeqs}))
	if err := errors.Join(all...); err != nil { // the others compare these numbers
		return err
	}
	check(c.ChunkedPrefill || c.MaxNumBatchedTokens >= c.MaxModelLen, "max_num_batched_tokens (%d) is smaller than max_model_len (%d). "+
		"This effectively limits the maximum sequence length to max_num_batched_tokens and makes vLLM reject longer sequences. "+
		"Please increase max_num_batched_tokens or decrease max_model_len.", c.MaxNumBatchedTokens, c.MaxModelLen)
	check(c.MaxNumBatchedTokens >= c.MaxNumSeqs,
		"max_num_batched_tokens (%d) must be greater than or equal to max_num_seqs (%d).", c.MaxNumBatchedTokens, c.MaxNumSeqs)
	check(c.NumBlocks <= maxBlocks, "--num-gpu-blocks-override: %d is more than %d", c.NumBlocks, maxBlocks)
	check(c.NumBlocks-1 >= (c.MaxModelLen-1)/c.BlockSize+1,
		"--num-gpu-blocks-override: %d blocks of %d tokens, one of which is not used, do not hold a sequence of max_model_len (%d)",
		c.NumBlocks, c.BlockSize, c.MaxModelLen)
	check(c.Policy == FCFS || c.Policy == Priority, "--scheduling-policy: invalid choice: '%s' (choose from fcfs, priority)", c.Policy)
	check(c.MaxLoRAs >= 0, "--max-loras: %d is negative", c.MaxLoRAs)
	check(c.MaxQueuedReqs == nil || *c.MaxQueuedReqs >= 0, "--max-num-queued-reqs is negative")
	check(c.MaxQueuedTokens == nil || *c.MaxQueuedTokens >= 0, "--max-num-queued-tokens is negative")
	return errors.Join(all...)
}

// count is a number of one of vLLM's configurations.
type count struct {
	name string
	is   int
}

// positive refuses counts below 1 in the words of pydantic, which checks vLLM's configurations (vllm/config).
func positive(config, kind, bound string, counts ...count) error {
	wrong := slices.DeleteFunc(counts, func(n count) bool { return n.is >= 1 })
	if len(wrong) == 0 {
		return nil
	}
	plural := "s"
	if len(wrong) == 1 {
		plural = ""
	}
	text := fmt.Sprintf("%d validation error%s for %s", len(wrong), plural, config)
	for _, n := range wrong {
		text += fmt.Sprintf("\n%s\n  Input should be %s [type=%s, input_value=%d, input_type=int]\n"+
			"    For further information visit https://errors.pydantic.dev/2.14/v/%s", n.name, bound, kind, n.is, kind)
	}
	return errors.New(text)
}

package engine

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/kv"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
)

// check returns what must never be so.
func (h *hand) check() error {
	used := map[int32]bool{}
	prompts, deferred := 0, 0
	for _, s := range h.running {
		for _, id := range s.table {
			used[id] = true
		}
		switch {
		case s.state != running || s.deferred:
			return fmt.Errorf("a running sequence has state %d, deferred %t", s.state, s.deferred)
		case s.computed > s.total || s.computed > len(s.table)*h.cfg.BlockSize || len(s.table) > h.blocks(s.total):
			return fmt.Errorf("%d of %d tokens are computed in %d blocks", s.computed, s.total, len(s.table))
		}
	}
	for i, s := range h.waiting {
		if s.state != waiting || s.index != i || len(s.table) > 0 || s.inStep {
			return fmt.Errorf("a waiting sequence has state %d, place %d instead of %d, %d blocks, in a step %t", s.state, s.index, i, len(s.table), s.inStep)
		}
		if s.deferred {
			deferred++
		}
	}
	for _, s := range slices.Concat(h.running, h.waiting) {
		if s.generated == 0 {
			prompts += s.Prompt
		}
	}
	scheduled := 0
	for _, s := range h.step.batch {
		scheduled += s.scheduled
	}
	switch {
	case len(h.running) > h.cfg.MaxNumSeqs:
		return fmt.Errorf("%d run", len(h.running))
	case scheduled > h.cfg.MaxNumBatchedTokens || h.step.budget < 0:
		return fmt.Errorf("a step has %d tokens, and %d left", scheduled, h.step.budget)
	case h.deferred != deferred:
		return fmt.Errorf("%d are deferred, and %d counted", deferred, h.deferred)
	case h.Unfinished() != len(h.running)+len(h.waiting) || int(h.prefilling.Load()) != prompts:
		return fmt.Errorf("%d unfinished, %d prompt tokens, want %d and %d", h.Unfinished(), h.prefilling.Load(), len(h.running)+len(h.waiting), prompts)
	case h.pool.Used() != len(used) || used[0]:
		return fmt.Errorf("%d blocks are in use, want %d, which are not to have block 0: %t", h.pool.Used(), len(used), used[0])
	}
	return nil
}

// play has a script of bytes choose a configuration and what happens, checks after each event, and lets all come to an end.
func play(t *testing.T, script []byte) {
	next := func(n int) int {
		if len(script) == 0 {
			return 0
		}
		b := int(script[0])
		script = script[1:]
		return b % n
	}
	h := byHand(t, with(func(c *Config) {
		c.MaxNumSeqs, c.BlockSize, c.MaxModelLen, c.PrefixCaching = 1+next(5), 1+next(8), 64, next(4) > 0
		c.NumBlocks = 1 + blocksOf64(c.BlockSize) + next(20)
		c.MaxNumBatchedTokens, c.MaxLoRAs = c.MaxNumSeqs+next(20), next(3)
		c.Policy = []Policy{FCFS, Priority}[next(2)]
		if next(4) == 0 {
			c.ChunkedPrefill, c.MaxNumBatchedTokens = false, 64
		}
		switch next(3) {
		case 0:
			c.Latency = paced
		case 1:
			c.Latency.Profile = &latency.Profile{PrefillTokensPerSecond: 1000, StepBase: 1000}
		}
	}))
	var all []*Sequence
	left := map[*Sequence]bool{}
	for len(script) > 0 {
		switch next(12) {
		case 0, 1, 2:
			prompt := ids(next(3)*100, 1+next(50))
			lora := strconv.Itoa(next(3))
			r := Request{Prompt: len(prompt), Tokens: 1 + next(60), Priority: next(3), LoRA: lora, SkipCache: next(8) == 0, Every: next(3),
				Chain: kv.NewChain(h.cfg.BlockSize, lora, "", prompt), Output: func(i int) int { return prompt[len(prompt)-1] + 1 + i }}
			all = append(all, h.submit(r)...)
		case 3:
			if len(all) > 0 {
				s := all[next(len(all))]
				left[s] = left[s] || s.state != ended
				h.do(func() { h.Abort(s) })
			}
		case 4:
			h.do(func() { h.Pause([]Mode{PauseWait, PauseKeep}[next(2)], next(2) == 0) })
		case 5:
			h.do(h.Resume)
		case 6:
			h.do(func() { h.ResetPrefixCache(next(2) == 0) })
		case 7:
			h.do(func() { h.Sleep(next(3), PauseKeep) })
		case 8:
			h.do(func() { h.Wake() })
		default:
			h.time.at = h.time.at.Add(time.Duration(next(256)) * ms / 4)
			h.turn()
		}
		h.work()
		if err := h.check(); err != nil {
			t.Fatal(err)
		}
	}
	h.do(func() { h.Wake() })
	h.do(h.Resume)
	h.all()
	if err := h.check(); err != nil {
		t.Fatal(err)
	}
	h.judge(all, left)
}

func blocksOf64(blockSize int) int { return (64 + blockSize - 1) / blockSize }

// judge looks at the end: everybody has what was asked for, unless it left, and nobody was passed over.
func (h *hand) judge(all []*Sequence, left map[*Sequence]bool) {
	h.t.Helper()
	generated, finished := 0, 0
	for i, s := range all {
		n, over := s.Progress()
		generated += n
		if !over || n != s.Tokens && !left[s] || s.generated != n {
			h.t.Fatalf("sequence %d has %d of %d tokens, over %t, left %t", i, n, s.Tokens, over, left[s])
		}
		if !left[s] {
			finished++
		}
		if i > 0 && h.cfg.Policy == FCFS && h.cfg.MaxLoRAs == 0 && s.started >= 0 && all[i-1].started >= 0 && s.started < all[i-1].started {
			h.t.Fatalf("sequence %d began before %d", i, i-1)
		}
	}
	sum, _ := h.sum()
	if sum.Generated != generated || len(sum.Finished) != finished || len(sum.FirstTokens)+len(sum.Gaps) != generated {
		h.t.Fatalf("%d tokens and %d ends were told of, want %d and %d", sum.Generated, len(sum.Finished), generated, finished)
	}
	if h.pool.Used() != 0 || h.Unfinished() != 0 || h.prefilling.Load() != 0 || len(h.loras) != 0 {
		h.t.Fatalf("%d blocks, %d sequences, %d prompt tokens and %d adapters are left", h.pool.Used(), h.Unfinished(), h.prefilling.Load(), len(h.loras))
	}
}

func TestInvariants(t *testing.T) {
	for seed := range uint64(300) {
		source := rand.NewChaCha8([32]byte(binary.LittleEndian.AppendUint64(make([]byte, 24), seed)))
		script := make([]byte, 400)
		_, _ = source.Read(script) // never fails
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { play(t, script) })
	}
}

func FuzzInvariants(f *testing.F) {
	f.Add([]byte{2, 3, 1, 4, 9, 0, 0, 1, 0, 0, 20, 1, 50, 1, 0, 1, 11, 200, 3, 0})
	f.Add([]byte{1, 1, 0, 0, 0, 1, 1, 0, 2, 1, 49, 1, 59, 0, 0, 0, 9, 9, 4, 1, 0, 7, 1, 10, 255})
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) < 2000 {
			play(t, script)
		}
	})
}

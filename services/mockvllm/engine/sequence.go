package engine

import (
	"sync/atomic"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/kv"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/latency"
)

// Request is one sequence of tokens to be delivered.
type Request struct {
	ID        string // delays follow from it, and from Index
	Index     int    // of the choice
	N         int    // choices of the prompt, submitted one after the other; 0 is 1
	Prompt    int    // tokens read
	Tokens    int    // tokens to deliver; 0 is done without a step, unless it is Pooled
	Reason    string // finish reason once all are delivered
	MaxTokens int    // parameter of the request, for metrics
	Priority  int    // the lowest first, where that is the policy
	LoRA      string // adapter, "" for the model itself

	Chain     kv.Chain        // of the prompt; the zero value shares nothing with anybody
	Output    func(i int) int // id of token i; nil: the blocks of the answer are not remembered
	SkipCache bool            // the prompt is computed whole, as for prompt_logprobs
	Continues bool            // an answer that was begun: its first token takes as long as a later one
	Pooled    bool            // the prompt alone is read, and what it makes is no token: vLLM's pooling models

	// Wake has a capacity of 1 and gets a value at the first token, whenever Every more are there, and at the end; with
	// Every 0 only at the end. Sequences of one answer may share it.
	Wake  chan struct{}
	Every int

	// Next is held at the end, before it is told: what the submitter asks for then is asked for at the same instant, also of a
	// virtual clock. Nil where nothing follows.
	Next clock.Timer
}

// Sequence is a submitted request. The engine writes it, its submitter reads Progress.
type Sequence struct {
	Request

	progress atomic.Int64 // tokens delivered at the last wake, negative minus one once ended

	// owned by who has the engine's turn
	family *family // that of the first choice
	own    family
	rank   int   // in the waiting queue
	turn   int64 // in the waiting queue
	index  int   // in the waiting queue

	state            state
	deferred, inStep bool

	table      []int32 // blocks
	remembered int     // how many of these the cache knows
	computed   int     // tokens that have their KV
	total      int     // tokens
	cached     int     // tokens of the prompt from the cache
	scheduled  int     // tokens in the step that runs

	generated       int
	preempted, told int // times, and how many of them were reported

	delays latency.Delays
	ttft   time.Duration

	// instants, since the engine was made; those that did not come yet are negative
	due                                   time.Duration // of the next token
	arrived, queued, started, first, last time.Duration
}

// family is the choices of one prompt.
type family struct{ n, open, longest int }

type state uint8

const (
	waiting state = iota
	running
	ended
)

// Progress returns how many tokens were delivered at the last wake, and whether no more will come. An ended sequence with
// fewer tokens than asked for was aborted.
func (s *Sequence) Progress() (tokens int, over bool) {
	n := int(s.progress.Load())
	if n < 0 {
		return -n - 1, true
	}
	return n, false
}

// Cached is how many tokens of the prompt the prefix cache had. It may be asked once Progress told of a token.
func (s *Sequence) Cached() int { return s.cached }

// Times are how long a sequence waited, how long from there to its first token, and from that to the last one. They may be
// asked once Progress told of the end; without a token they are 0.
func (s *Sequence) Times() (queue, prefill, decode time.Duration) {
	if s.first < 0 {
		return 0, 0, 0
	}
	return s.started - s.queued, s.first - s.started, s.last - s.first
}

// wakes tells whether somebody waits for the tokens that are there.
func (s *Sequence) wakes() bool {
	if s.state == ended {
		return true
	}
	told, _ := s.Progress()
	return s.Every > 0 && (told == 0 || s.generated-told >= s.Every)
}

func (s *Sequence) wake() {
	n := int64(s.generated)
	if s.state == ended {
		n = -n - 1
		if s.Next != nil {
			s.Next.Hold()
		}
	}
	s.progress.Store(n)
	select {
	case s.Wake <- struct{}{}:
	default: // a wake is pending already
	}
}

package answers

import (
	"context"
	"math"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/kv"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
)

// Request is one on its way through the engine: one sequence for each choice.
type Request struct {
	api    *API
	Asking Asking
	Common *request.Common
	Head   protocol.Head
	works  []*generation.Work
	seqs   []*engine.Sequence
	wake   chan struct{}
	timer  clock.Timer // holds a virtual clock, where there is one
	named  bool        // by the client
	flies  bool        // it is one of the flights

	interval int // tokens of a frame

	adapter string // "" for the model itself
}

// answer is what choice i says: the choices of the first prompt come first.
func (g *Request) answer(i int) *generation.Answer {
	n := int(g.Common.N)
	return g.works[i/n].Answers[i%n]
}

// submit plans the answers and gives them to the engine, which makes its own checks.
func (s *Answers) submit(r *http.Request, g *Request) *protocol.Error {
	rank, priority := g.placement(r)
	if rank != nil && rank.Sign() != 0 {
		return protocol.BadRequest("data_parallel_rank %s is out of range [0, 1).", rank)
	}
	if g.Common.Unsendable || priority != nil && !priority.IsInt64() && !priority.IsUint64() { // the error of this has no words
		return &protocol.Error{Status: http.StatusInternalServerError, Type: protocol.TypeInternal, Handled: true}
	}
	if priority != nil {
		g.Common.Priority = math.MaxInt64
		if priority.IsInt64() {
			g.Common.Priority = priority.Int64()
		}
	}
	g.wake, g.timer = make(chan struct{}, 1), clock.TimerOf(r.Context())
	if g.interval = int(g.Common.Interval); g.interval == 0 {
		g.interval = s.cfg.Scheduler.StreamInterval
	}
	requests := make([]engine.Request, 0, 1) // as many as most have
	for _, work := range g.works {
		if err := work.Plan(r.Context(), s.model.Model, s.model.Limits()); err != nil {
			return err
		}
		var chain kv.Chain
		if s.cfg.PrefixCaching {
			chain = kv.NewChain(s.blockSize, g.adapter, g.Common.CacheSalt, work.Prompt.Tokens)
		}
		for i, a := range work.Answers {
			requests = append(requests, engine.Request{ID: g.delaysID(a, s.varies), Index: i, N: len(work.Answers), Prompt: len(work.Prompt.Tokens),
				Tokens: a.Tokens, Reason: a.Finish, MaxTokens: int(work.Params.MaxTokens), Priority: int(g.Common.Priority), LoRA: g.adapter,
				Chain: chain, Output: a.Token, SkipCache: work.Params.PromptLogprobs != nil, Wake: g.wake, Every: g.every()})
		}
	}
	if g.beams() {
		return s.search(r.Context(), g, requests)
	}
	var err error
	if g.seqs, err = s.engine.Submit(requests...); err != nil {
		return s.unsubmitted(err)
	}
	s.flights.add(g)
	return nil
}

// placement is what the headers say of where and when the engine shall answer. A beam search does not hear of it.
func (g *Request) placement(r *http.Request) (rank, priority *big.Int) {
	if g.beams() {
		return nil, nil
	}
	if !g.api.norank {
		rank = wholeHeader(r, "X-Data-Parallel-Rank")
	}
	if !g.api.noprio {
		priority = wholeHeader(r, "X-Vllm-Priority")
	}
	return rank, priority
}

// beams tells whether this is a beam search.
func (g *Request) beams() bool { return len(g.works) > 0 && g.works[0].Params.Beam }

// every is after how many tokens of an answer there is something to send: a plain answer is sent when it is over.
func (g *Request) every() int {
	if !g.Common.Stream || g.Common.AtOnce {
		return 0
	}
	return g.interval
}

// delaysID is what the delays of an answer follow from: the id that the client gave, else what the answer follows from, so
// that the same request takes the same time. Where delays do not vary it is nothing.
func (g *Request) delaysID(a *generation.Answer, vary bool) string {
	switch {
	case !vary:
		return ""
	case g.named:
		return g.Head.ID
	}
	return strconv.FormatUint(a.Seed, 36)
}

// rest lets a virtual clock go on, unless there is something to do at the instant at which it stands.
func (g *Request) rest() {
	if g.timer != nil && len(g.wake) == 0 {
		g.timer.Stop()
	}
}

// wait returns false when ctx ended first: the client has left.
func (g *Request) wait(ctx context.Context) bool {
	g.rest()
	select {
	case <-g.wake:
		return true
	case <-ctx.Done():
		left(ctx)
		return false
	}
}

//go:noinline // so that its frame is not in memory while somebody waits
func left(ctx context.Context) { journal.Of(ctx).Left() }

// waitAwhile is wait that gives up after a time: then it returns before anything has happened.
func (g *Request) waitAwhile(ctx context.Context, d time.Duration) (idle, ok bool) {
	g.rest()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-g.wake:
		return false, true
	case <-timer.C:
		return true, true
	case <-ctx.Done():
		left(ctx)
		return false, false
	}
}

// tellAborted tells the journal when the engine has ended an answer before its time.
func (g *Request) tellAborted(ctx context.Context) {
	if slices.ContainsFunc(g.seqs, aborted) {
		journal.Of(ctx).Broken(journal.ByServer)
	}
}

// aborted tells whether an answer, which is over, was ended before its time.
func aborted(s *engine.Sequence) bool {
	n, _ := s.Progress()
	return n < s.Tokens
}

// failure logs that the engine has failed with one of the answers, and is what the client is told then; nil where it has not.
func (s *Answers) failure(g *Request) *protocol.Error {
	i := slices.IndexFunc(g.seqs, failed)
	if i < 0 {
		return nil
	}
	s.logFailure(g.answer(i).Failure)
	return protocol.Failed()
}

// failed tells whether the engine has failed with an answer.
func failed(s *engine.Sequence) bool {
	n, over := s.Progress()
	return over && n == s.Tokens && s.Reason == generation.FinishError
}

func (g *Request) over() bool {
	for _, s := range g.seqs {
		if _, over := s.Progress(); !over {
			return false
		}
	}
	return true
}

// usage counts each prompt once, however many answers it has.
func (s *Answers) usage(g *Request) protocol.Usage {
	var u protocol.Usage
	filled := 0
	for i, seq := range g.seqs {
		n, _ := seq.Progress()
		u.Completion += n
		if i%int(g.Common.N) == 0 {
			u.Cached += seq.Cached()
			u.Prompt += seq.Prompt
			filled += max(0, seq.Prompt/s.blockSize*s.blockSize-seq.Cached())
		}
	}
	if !s.cfg.Generation.PromptTokensDetails || g.beams() { // whose steps do not add up to what was cached
		return u
	}
	u.Details = &protocol.PromptDetails{Cached: u.Cached, Created: -1}
	if g.api.fills && s.cfg.PrefixCaching {
		u.Details.Created = filled
	}
	return u
}

// timing is told where it is asked for, of requests that have one answer.
func (s *Answers) timing(g *Request) *protocol.Timing {
	if !s.cfg.Generation.PerRequestMetrics || len(g.seqs) != 1 {
		return nil
	}
	if g.beams() {
		return &protocol.Timing{Unknown: true}
	}
	t := &protocol.Timing{}
	t.Queue, t.FirstToken, t.Generation = g.seqs[0].Times()
	t.Tokens, _ = g.seqs[0].Progress()
	t.FirstToken = max(t.FirstToken, time.Microsecond) // a rate is told also where steps take no time
	return t
}

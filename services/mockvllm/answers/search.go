package answers

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// search has the engine answer as vLLM searches with beams (entrypoints/generate/beam_search/online.py), and returns when that is
// over: each token of each beam is a request of its own. There is one beam at first, and there are max_tokens steps, wherever the
// answers end.
func (s *Answers) search(ctx context.Context, g *Request, answers []engine.Request) *protocol.Error {
	done := 0
	var seqs []*engine.Sequence // of this step
	defer func() { goOn(seqs...) }()
	for {
		step := s.step(answers, done)
		if len(step) == 0 {
			break
		}
		before := seqs
		var err error
		seqs, err = s.engine.Submit(step...)
		goOn(before...)
		if err != nil {
			return s.unsubmitted(err)
		}
		g.seqs = seqs
		for {
			over := slices.DeleteFunc(slices.Clone(seqs), runs)
			if len(over) == len(seqs) {
				break
			}
			goOn(over...) // those that end from here on hold it
			if !g.wait(ctx) {
				s.engine.Abort(seqs...)
				return &protocol.Error{Status: http.StatusInternalServerError, Type: protocol.TypeInternal, Message: ctx.Err().Error()} // nobody reads it
			}
		}
		if slices.ContainsFunc(seqs, aborted) {
			break
		}
		done++
	}
	g.seqs = make([]*engine.Sequence, len(answers))
	for i, a := range answers {
		g.seqs[i] = engine.Ended(a, min(done, a.Tokens))
	}
	return nil
}

// goOn lets a virtual clock go on that stands still because of sequences that are over.
func goOn(over ...*engine.Sequence) {
	for _, s := range over {
		if s.Next != nil {
			s.Next.Stop()
		}
	}
}

func runs(s *engine.Sequence) bool {
	_, over := s.Progress()
	return !over
}

// step makes the requests for the token after those that are done: none when there is no such token.
func (s *Answers) step(answers []engine.Request, done int) []engine.Request {
	var requests []engine.Request
	for i := range answers {
		a := &answers[i]
		if done >= a.MaxTokens || done == 0 && a.Index > 0 {
			continue
		}
		// For the next steps too: the engine extends the copy that it gets, one after the other and by the same tokens.
		a.Chain.Extend((a.Prompt+done)/s.blockSize, a.Output)
		r := *a
		r.ID += "/" + strconv.Itoa(done)
		r.Prompt, r.Continues = a.Prompt+done, done > 0
		r.N, r.Tokens, r.MaxTokens, r.Reason = 1, 1, 1, generation.FinishLength
		if s.clock.Virtual() {
			r.Next = s.clock.NewTimer()
		}
		requests = append(requests, r)
	}
	return requests
}

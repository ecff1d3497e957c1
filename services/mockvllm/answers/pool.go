package answers

import (
	"context"
	"fmt"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/kv"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// Pool has the engine read prompts that are answered without a token, and waits for that. It returns false when there is nobody to
// answer any more. Delays follow from id or, where that is "", from the prompts.
func (s *Answers) Pool(ctx context.Context, id string, prompts [][]int) (bool, *protocol.Error) {
	if err := s.Admit(len(prompts)); err != nil {
		return false, err
	}
	g := &Request{wake: make(chan struct{}, 1), timer: clock.TimerOf(ctx)}
	requests := make([]engine.Request, len(prompts))
	for i, tokens := range prompts {
		r := engine.Request{ID: id, Index: i, Prompt: len(tokens), Pooled: true, Reason: "stop", Wake: g.wake}
		if id == "" {
			r.ID = fmt.Sprint(tokens)
		}
		if s.cfg.PrefixCaching {
			r.Chain = kv.NewChain(s.blockSize, "", "", tokens)
		}
		requests[i] = r
	}
	var err error
	if g.seqs, err = s.engine.Submit(requests...); err != nil {
		return false, s.unsubmitted(err)
	}
	defer s.engine.Abort(g.seqs...)
	for !g.over() {
		if !g.wait(ctx) {
			return false, nil
		}
	}
	switch {
	case s.life.Mute(ctx):
		return false, nil
	case s.life.Dead():
		journal.Of(ctx).Broken(journal.ByServer)
		return false, s.life.Failed(id)
	}
	return true, nil
}

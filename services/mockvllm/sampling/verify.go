package sampling

import (
	"fmt"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// Limits are what the server and its model allow.
type Limits struct {
	Vocabulary  int
	MaxLogprobs int  // -1: the vocabulary
	Reasoning   bool // a parser tells reasoning apart
}

// Verify makes the engine's own checks, in vLLM's order.
func (p *Params) Verify(l Limits) *protocol.Error {
	if l.MaxLogprobs < 0 {
		l.MaxLogprobs = l.Vocabulary
	}
	if p.Beam {
		return verifyBeams(p, l)
	}
	for _, check := range []func(*Params, Limits) *protocol.Error{verifyLogprobs, verifyBias, verifyStopTokens, verifyAllowed} {
		if err := check(p, l); err != nil {
			return err
		}
	}
	return nil
}

// VerifyThinking refuses a budget where nothing tells thinking apart.
func (p *Params) VerifyThinking(l Limits) *protocol.Error {
	if p.ThinkingBudget == nil || l.Reasoning {
		return nil
	}
	return protocol.BadRequest("thinking_token_budget is set but reasoning_config is not configured. " +
		"Please set --reasoning-parser and/or --reasoning-config to use thinking_token_budget.")
}

// VerifyPrompt holds a place in the prompt against the prompt's length.
func (p *Params) VerifyPrompt(tokens int) *protocol.Error {
	if p.ExpertsFrom >= 0 && p.ExpertsFrom <= int64(tokens) {
		return nil
	}
	const param = "routed_experts_prompt_start"
	return protocol.BadValue(param, p.Said(param, p.ExpertsFrom), "%s must be between 0 and the prompt length (%d), inclusive.", param, tokens)
}

// mostLogprobTokens is vLLM's MAX_LOGPROB_TOKEN_IDS.
const mostLogprobTokens = 128

func verifyLogprobs(p *Params, l Limits) *protocol.Error {
	if err := verifyCount(p, "logprobs", "sample logprobs", p.Logprobs, l); err != nil {
		return err
	}
	if n := len(p.LogprobTokens); n > mostLogprobTokens {
		return protocol.BadValue("logprob_token_ids", fmt.Sprint(n),
			"Requested logprob_token_ids of length %d, which is greater than max allowed: %d", n, mostLogprobTokens)
	}
	if err := verifyKnown("logprob_token_ids", p.LogprobTokens, l); err != nil {
		return err
	}
	if n := len(p.LogprobTokens); p.Logprobs != nil && p.LogprobTokens != nil && *p.Logprobs != int64(n) {
		return protocol.BadValue("logprob_token_ids", fmt.Sprint(n), "When both logprobs and logprob_token_ids are set, "+
			"logprobs must equal len(logprob_token_ids). Got logprobs=%d, len(logprob_token_ids)=%d.", *p.Logprobs, n)
	}
	return verifyCount(p, "prompt_logprobs", "prompt logprobs", p.PromptLogprobs, l)
}

// verifyBeams: each step of a beam search is a request of its own, for two tokens of each beam.
func verifyBeams(p *Params, l Limits) *protocol.Error {
	if err := checkTemperature(p); err != nil {
		return err
	}
	if p.Nothing() {
		return nil
	}
	each := 2 * p.N
	return verifyCount(p, "logprobs", "sample logprobs", &each, l)
}

func verifyCount(p *Params, param, what string, n *int64, l Limits) *protocol.Error {
	if n == nil {
		return nil
	}
	count := *n
	if count == -1 {
		count = int64(l.Vocabulary)
	}
	if count <= int64(l.MaxLogprobs) {
		return nil
	}
	said := p.Said(param, count)
	return protocol.BadValue(param, said, "Requested %s of %s, which is greater than max allowed: %d", what, said, l.MaxLogprobs)
}

// verifyKnown refuses tokens that the vocabulary does not have.
func verifyKnown(param string, ids []int64, l Limits) *protocol.Error {
	if unknown := beyond(ids, l); unknown != nil {
		return unknownTokens(param, listed(unknown), l)
	}
	return nil
}

func unknownTokens(param, list string, l Limits) *protocol.Error {
	return protocol.BadValue(param, list, "token_id(s) %s in %s contain out-of-vocab token ids. Vocabulary size: %d", list, param, l.Vocabulary)
}

func beyond(ids []int64, l Limits) (unknown []int64) {
	for _, id := range ids {
		if id < 0 || id >= int64(l.Vocabulary) {
			unknown = append(unknown, id)
		}
	}
	return unknown
}

func listed(ids []int64) string {
	return "[" + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(ids)), ", "), "[]") + "]"
}

func verifyBias(p *Params, l Limits) *protocol.Error {
	var unknown []string
	for _, b := range p.Bias {
		if b.Token < 0 || b.Token >= int64(l.Vocabulary) {
			unknown = append(unknown, b.Key)
		}
	}
	if unknown != nil {
		return unknownTokens("logit_bias", "["+strings.Join(unknown, ", ")+"]", l)
	}
	return nil
}

func verifyStopTokens(p *Params, l Limits) *protocol.Error {
	return verifyKnown("stop_token_ids", p.StopTokenIDs, l)
}

func verifyAllowed(p *Params, l Limits) *protocol.Error {
	if p.Allowed == nil {
		return nil
	}
	if len(p.Allowed) == 0 {
		return protocol.BadValue("allowed_token_ids", "[]", "allowed_token_ids is not None and empty!")
	}
	if unknown := beyond(p.Allowed, l); unknown != nil {
		return protocol.BadValue("allowed_token_ids", listed(unknown), "allowed_token_ids contains out-of-vocab token id!")
	}
	return nil
}

package sampling

import (
	"math"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// maxN is vLLM's VLLM_MAX_N_SEQUENCES.
const maxN = 16384

// Check makes the checks of SamplingParams itself, in vLLM's order.
func (p *Params) Check() *protocol.Error {
	if p.Beam {
		return checkN(p)
	}
	if c := p.Constraint; c != nil && c.Fault != "" {
		return protocol.BadRequest("%s", c.Fault)
	}
	for _, check := range []func(*Params) *protocol.Error{checkBias, checkN, checkExtra, checkPenalties, checkTemperature, checkTops, checkLengths, checkLogprobs, checkStops} {
		if err := check(p); err != nil {
			return err
		}
	}
	if p.Greedy() && p.N > 1 {
		return protocol.BadRequest("n must be 1 when using greedy sampling, got %d.", p.N)
	}
	return nil
}

// checkBias refuses keys that are no tokens, all of them at once.
func checkBias(p *Params) *protocol.Error {
	var bad []any
	for _, b := range p.Bias {
		if b.Token == NoToken {
			bad = append(bad, b.Key)
		}
	}
	if bad == nil {
		return nil
	}
	keys := pyjson.Repr(bad)
	return protocol.BadValue("logit_bias", keys, "logit_bias contains key(s) that cannot be converted to integer token IDs: %s", keys)
}

func checkN(p *Params) *protocol.Error {
	name := "n"
	if p.Beam {
		name = "beam_width"
	}
	switch {
	case p.N < 1:
		return protocol.BadRequest("%s must be at least 1, got %s.", name, p.Said("n", p.N))
	case p.N > maxN:
		return protocol.BadRequest("%s must be at most %d, got %s. To increase this limit, set the VLLM_MAX_N_SEQUENCES environment variable.",
			name, maxN, p.Said("n", p.N))
	}
	return nil
}

// checkExtra refuses what vLLM could not send to its engine.
func checkExtra(p *Params) *protocol.Error {
	if schema.Beyond64(p.Extra) {
		return protocol.BadValue("extra_args", "", "extra_args integers must be between -2**63 and 2**64 - 1.")
	}
	return nil
}

func checkPenalties(p *Params) *protocol.Error {
	switch {
	case outside(p.PresencePenalty, -2, 2):
		return protocol.BadRequest("presence_penalty must be in [-2, 2], got %s.", pyjson.Float(p.PresencePenalty))
	case outside(p.FrequencyPenalty, -2, 2):
		return protocol.BadRequest("frequency_penalty must be in [-2, 2], got %s.", pyjson.Float(p.FrequencyPenalty))
	case infinite(p.RepetitionPenalty):
		return protocol.BadRequest("repetition_penalty must be a finite number, got %s.", pyjson.Float(p.RepetitionPenalty))
	case p.RepetitionPenalty <= 0:
		return protocol.BadRequest("repetition_penalty must be greater than zero, got %s.", pyjson.Float(p.RepetitionPenalty))
	}
	return nil
}

// outside is true for NaN too.
func outside(x, low, high float64) bool { return !(x >= low && x <= high) }

func infinite(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }

func checkTemperature(p *Params) *protocol.Error {
	must := ""
	switch {
	case infinite(p.Temperature):
		must = "a finite number"
	case p.Temperature < 0:
		must = "non-negative"
	case p.Temperature > 2:
		must = "in [0, 2]"
	default:
		return nil
	}
	got := pyjson.Float(p.Temperature)
	return protocol.BadValue("temperature", got, "temperature must be %s, got %s.", must, got)
}

func checkTops(p *Params) *protocol.Error {
	switch {
	case !(p.TopP > 0) || p.TopP > 1:
		got := pyjson.Float(p.TopP)
		return protocol.BadValue("top_p", got, "top_p must be in (0, 1], got %s.", got)
	case p.TopK < -1:
		return protocol.BadRequest("top_k must be 0 (disable), or at least 1, got %s.", p.Said("top_k", p.TopK))
	case outside(p.MinP, 0, 1):
		return protocol.BadRequest("min_p must be in [0, 1], got %s.", pyjson.Float(p.MinP))
	}
	return nil
}

func checkLengths(p *Params) *protocol.Error {
	switch {
	case p.MaxTokens < 1:
		got := p.Said("max_tokens", p.MaxTokens)
		return protocol.BadValue("max_tokens", got, "max_tokens must be at least 1, got %s.", got)
	case p.MinTokens < 0:
		return protocol.BadRequest("min_tokens must be greater than or equal to 0, got %s.", p.Said("min_tokens", p.MinTokens))
	case p.MinTokens > p.MaxTokens:
		return protocol.BadRequest("min_tokens must be less than or equal to max_tokens=%d, got %s.", p.MaxTokens, p.Said("min_tokens", p.MinTokens))
	}
	return nil
}

func checkLogprobs(p *Params) *protocol.Error {
	for _, l := range []struct {
		name string
		n    *int64
	}{{"logprobs", p.Logprobs}, {"prompt_logprobs", p.PromptLogprobs}} {
		if l.n != nil && *l.n < -1 {
			got := p.Said(l.name, *l.n)
			return protocol.BadValue(l.name, got, "%s must be non-negative or -1, got %s.", l.name, got)
		}
	}
	return nil
}

func checkStops(p *Params) *protocol.Error {
	if slices.Contains(p.Stop, "") {
		return protocol.BadRequest("stop cannot contain an empty string.")
	}
	if slices.Contains(p.BadWords, "") {
		words := make([]any, 0, len(p.BadWords))
		for _, w := range p.BadWords {
			words = append(words, w)
		}
		return protocol.BadRequest("bad_words cannot contain an empty string. Got bad_words=%s", pyjson.Repr(words))
	}
	return nil
}

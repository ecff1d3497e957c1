package sampling

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

func number(n int64) *int64 { return &n }

// told is the message of a refusal, "" for none, and its parameter.
func told(e *protocol.Error) [2]string {
	if e == nil {
		return [2]string{}
	}
	return [2]string{e.Message, e.Param}
}

func TestCheck(t *testing.T) {
	f := func(change func(*Params), message, param string) {
		t.Helper()
		p := Default()
		change(&p)
		if diff := cmp.Diff([2]string{message, param}, told(p.Check())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	f(func(*Params) {}, "", "")
	f(func(p *Params) {
		p.Bias = []Bias{{Key: "x", Token: NoToken}, {Key: "1", Token: 1}, {Key: "y'", Token: NoToken}}
	},
		`logit_bias contains key(s) that cannot be converted to integer token IDs: ['x', "y'"] (parameter=logit_bias, value=['x', "y'"])`, "logit_bias")
	f(func(p *Params) { p.N = 0 }, "n must be at least 1, got 0.", "")
	f(func(p *Params) { p.N = 16385 }, "n must be at most 16384, got 16385. To increase this limit, set the VLLM_MAX_N_SEQUENCES environment variable.", "")
	f(func(p *Params) { p.PresencePenalty = 2.5 }, "presence_penalty must be in [-2, 2], got 2.5.", "")
	f(func(p *Params) { p.FrequencyPenalty = -3 }, "frequency_penalty must be in [-2, 2], got -3.0.", "")
	f(func(p *Params) { p.FrequencyPenalty = math.NaN() }, "frequency_penalty must be in [-2, 2], got nan.", "")
	f(func(p *Params) { p.RepetitionPenalty = math.Inf(1) }, "repetition_penalty must be a finite number, got inf.", "")
	f(func(p *Params) { p.RepetitionPenalty = 0 }, "repetition_penalty must be greater than zero, got 0.0.", "")
	f(func(p *Params) { p.Temperature = math.NaN() }, "temperature must be a finite number, got nan. (parameter=temperature, value=nan)", "temperature")
	f(func(p *Params) { p.Temperature = -1 }, "temperature must be non-negative, got -1.0. (parameter=temperature, value=-1.0)", "temperature")
	f(func(p *Params) { p.Temperature = 3 }, "temperature must be in [0, 2], got 3.0. (parameter=temperature, value=3.0)", "temperature")
	f(func(p *Params) { p.TopP = 0 }, "top_p must be in (0, 1], got 0.0. (parameter=top_p, value=0.0)", "top_p")
	f(func(p *Params) { p.TopP = math.NaN() }, "top_p must be in (0, 1], got nan. (parameter=top_p, value=nan)", "top_p")
	f(func(p *Params) { p.TopK = -2 }, "top_k must be 0 (disable), or at least 1, got -2.", "")
	f(func(p *Params) { p.MinP = 1.5 }, "min_p must be in [0, 1], got 1.5.", "")
	f(func(p *Params) { p.MaxTokens = 0 }, "max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)", "max_tokens")
	f(func(p *Params) { p.MinTokens = -1 }, "min_tokens must be greater than or equal to 0, got -1.", "")
	f(func(p *Params) { p.MinTokens = 17 }, "min_tokens must be less than or equal to max_tokens=16, got 17.", "")
	f(func(p *Params) { p.Logprobs = number(-2) }, "logprobs must be non-negative or -1, got -2. (parameter=logprobs, value=-2)", "logprobs")
	f(func(p *Params) { p.PromptLogprobs = number(-2) }, "prompt_logprobs must be non-negative or -1, got -2. (parameter=prompt_logprobs, value=-2)", "prompt_logprobs")
	f(func(p *Params) { p.Stop = []string{"a", ""} }, "stop cannot contain an empty string.", "")
	f(func(p *Params) { p.BadWords = []string{"a", ""} }, "bad_words cannot contain an empty string. Got bad_words=['a', '']", "")
	f(func(p *Params) { p.Temperature, p.N = 0, 2 }, "n must be 1 when using greedy sampling, got 2.", "")
	// Of beam search vLLM looks at the number of beams only.
	f(func(p *Params) { p.Temperature, p.TopP, p.MaxTokens = 9, 9, 0; *p = p.Beams() }, "", "")
	f(func(p *Params) { p.N = 0; *p = p.Beams() }, "beam_width must be at least 1, got 0.", "")
	f(func(p *Params) { p.N = 16385; *p = p.Beams() },
		"beam_width must be at most 16384, got 16385. To increase this limit, set the VLLM_MAX_N_SEQUENCES environment variable.", "")
	f(func(p *Params) {
		p.MinTokens, p.Beyond = math.MaxInt64, map[string]string{"min_tokens": "1" + strings.Repeat("0", 20)}
	},
		"min_tokens must be less than or equal to max_tokens=16, got 100000000000000000000.", "")
}

// TestOrderOfChecks: with everything wrong, what is told first; mended, what is told next.
func TestOrderOfChecks(t *testing.T) {
	p := Params{Bias: []Bias{{Key: "x", Token: NoToken}}, N: 0, PresencePenalty: 9, FrequencyPenalty: 9, RepetitionPenalty: 0, Temperature: 9, TopP: 9, TopK: -9,
		MinP: 9, MaxTokens: 0, MinTokens: -1, Logprobs: number(-9), PromptLogprobs: number(-9), Stop: []string{""}, BadWords: []string{""}}
	for _, step := range []struct {
		begins string
		mend   func()
	}{
		{"logit_bias", func() { p.Bias = nil }},
		{"n must", func() { p.N = 2 }},
		{"presence_penalty", func() { p.PresencePenalty = 0 }},
		{"frequency_penalty", func() { p.FrequencyPenalty = 0 }},
		{"repetition_penalty", func() { p.RepetitionPenalty = 1 }},
		{"temperature", func() { p.Temperature = 0 }},
		{"top_p", func() { p.TopP = 1 }},
		{"top_k", func() { p.TopK = 0 }},
		{"min_p", func() { p.MinP = 0 }},
		{"max_tokens", func() { p.MaxTokens = 1 }},
		{"min_tokens", func() { p.MinTokens = 0 }},
		{"logprobs", func() { p.Logprobs = nil }},
		{"prompt_logprobs", func() { p.PromptLogprobs = nil }},
		{"stop", func() { p.Stop = nil }},
		{"bad_words", func() { p.BadWords = nil }},
		{"n must be 1 when", func() { p.N = 1 }},
	} {
		if got := told(p.Check())[0]; len(got) < len(step.begins) || got[:len(step.begins)] != step.begins {
			t.Errorf("%q, want %s first", got, step.begins)
		}
		step.mend()
	}
	if err := p.Check(); err != nil {
		t.Errorf("all is mended: %v", err)
	}
}

func TestVerify(t *testing.T) {
	limits := Limits{Vocabulary: 100, MaxLogprobs: 20}
	f := func(change func(*Params), message, param string) {
		t.Helper()
		p := Default()
		change(&p)
		if diff := cmp.Diff([2]string{message, param}, told(p.Verify(limits))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	f(func(p *Params) {
		p.Logprobs, p.PromptLogprobs, p.LogprobTokens, p.StopTokenIDs, p.Allowed = number(2), number(0), []int64{0, 99}, []int64{5}, []int64{99}
	}, "", "")
	f(func(p *Params) { p.Logprobs = number(21) }, "Requested sample logprobs of 21, which is greater than max allowed: 20 (parameter=logprobs, value=21)", "logprobs")
	f(func(p *Params) { p.Logprobs = number(-1) }, "Requested sample logprobs of 100, which is greater than max allowed: 20 (parameter=logprobs, value=100)", "logprobs")
	f(func(p *Params) { p.LogprobTokens = make([]int64, 129) },
		"Requested logprob_token_ids of length 129, which is greater than max allowed: 128 (parameter=logprob_token_ids, value=129)", "logprob_token_ids")
	f(func(p *Params) { p.PromptLogprobs = number(21) },
		"Requested prompt logprobs of 21, which is greater than max allowed: 20 (parameter=prompt_logprobs, value=21)", "prompt_logprobs")
	unknown := func(name, ids string) string {
		return "token_id(s) " + ids + " in " + name + " contain out-of-vocab token ids. Vocabulary size: 100 (parameter=" + name + ", value=" + ids + ")"
	}
	f(func(p *Params) { p.LogprobTokens = []int64{-1, 0, 100} }, unknown("logprob_token_ids", "[-1, 100]"), "logprob_token_ids")
	f(func(p *Params) {
		p.Bias = []Bias{{Key: "-1", Token: -1}, {Key: "1", Token: 1}, {Key: "100", Token: 100}}
	}, unknown("logit_bias", "[-1, 100]"), "logit_bias")
	f(func(p *Params) { p.StopTokenIDs = []int64{100} }, unknown("stop_token_ids", "[100]"), "stop_token_ids")
	f(func(p *Params) { p.Allowed = []int64{} }, "allowed_token_ids is not None and empty! (parameter=allowed_token_ids, value=[])", "allowed_token_ids")
	f(func(p *Params) { p.Allowed = []int64{1, 100} }, "allowed_token_ids contains out-of-vocab token id! (parameter=allowed_token_ids, value=[100])", "allowed_token_ids")
	// Each step of a beam search asks for two tokens of each beam, and has its temperature checked.
	f(func(p *Params) { p.N, p.Logprobs, p.StopTokenIDs = 10, number(21), []int64{100}; *p = p.Beams() }, "", "")
	f(func(p *Params) { p.N = 11; *p = p.Beams() }, "Requested sample logprobs of 22, which is greater than max allowed: 20 (parameter=logprobs, value=22)", "logprobs")
	f(func(p *Params) { p.Temperature = 9; *p = p.Beams() }, "temperature must be in [0, 2], got 9.0. (parameter=temperature, value=9.0)", "temperature")
	limits.MaxLogprobs = -1
	f(func(p *Params) { p.Logprobs, p.PromptLogprobs = number(-1), number(100) }, "", "")
	f(func(p *Params) { p.Logprobs = number(101) }, "Requested sample logprobs of 101, which is greater than max allowed: 100 (parameter=logprobs, value=101)", "logprobs")
}

func TestVerifyThinking(t *testing.T) {
	p := Default()
	f := func(reasoning bool, message string) {
		t.Helper()
		if got := told(p.VerifyThinking(Limits{Reasoning: reasoning})); got != [2]string{message} {
			t.Errorf("%q, want %s", got, message)
		}
	}
	f(false, "")
	p.ThinkingBudget = number(1)
	f(true, "")
	f(false, "thinking_token_budget is set but reasoning_config is not configured. "+
		"Please set --reasoning-parser and/or --reasoning-config to use thinking_token_budget.")
}

func TestVerifyPrompt(t *testing.T) {
	f := func(from int64, message string) {
		t.Helper()
		p := Default()
		p.ExpertsFrom = from
		if got := told(p.VerifyPrompt(4))[0]; got != message {
			t.Errorf("%d: %q, want %s", from, got, message)
		}
	}
	f(0, "")
	f(4, "")
	f(5, "routed_experts_prompt_start must be between 0 and the prompt length (4), inclusive. (parameter=routed_experts_prompt_start, value=5)")
}

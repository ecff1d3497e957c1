package declared

import (
	"math"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/values"
)

// samplingParams makes vLLM's SamplingParams of the members, which checks their ranges.
// A max_tokens that was not given is none, since GenerateRequest knows what was.
func samplingParams(r *node.Run, in, out any) (any, bool) {
	o, ok := out.(*pyjson.Object)
	if !ok {
		return out, true
	}
	if err := samplingRanges(o); err != nil {
		return r.Raise(err)
	}
	if given, ok := in.(*pyjson.Object); ok {
		if _, ok := given.Get("max_tokens"); !ok {
			o.Delete("max_tokens")
		}
	}
	return out, true
}

func samplingRanges(o *pyjson.Object) *refusal.Error {
	i := func(name string) int64 { n, _ := values.Int(o.Value(name)); return n }
	f := func(name string) float64 { x, _ := o.Value(name).(float64); return x }
	bad := func(format, name string) *refusal.Error {
		return refusal.Invalid("", nil, format, pyjson.Str(o.Value(name)))
	}
	named := func(format, name string) *refusal.Error {
		return refusal.Invalid(name, o.Value(name), format, pyjson.Str(o.Value(name)))
	}
	const maxN = 16384
	t := max(f("temperature"), 0)
	if t > 0 && t < 0.01 {
		o.Set("temperature", 0.01)
	}
	if budget := o.Value("thinking_token_budget"); budget == int64(-1) {
		o.Set("thinking_token_budget", nil)
	} else if i("thinking_token_budget") < 0 {
		return badBudget(budget)
	}
	switch {
	case i("n") < 1:
		return bad("n must be at least 1, got %s.", "n")
	case i("n") > maxN:
		return bad("n must be at most 16384, got %s. To increase this limit, set the VLLM_MAX_N_SEQUENCES environment variable.", "n")
	case python.Beyond64(o.Value("extra_args")):
		return refusal.Invalid("extra_args", nil, "extra_args integers must be between -2**63 and 2**64 - 1.")
	case !within(f("presence_penalty"), -2, 2):
		return bad("presence_penalty must be in [-2, 2], got %s.", "presence_penalty")
	case !within(f("frequency_penalty"), -2, 2):
		return bad("frequency_penalty must be in [-2, 2], got %s.", "frequency_penalty")
	case !finite(f("repetition_penalty")):
		return bad("repetition_penalty must be a finite number, got %s.", "repetition_penalty")
	case f("repetition_penalty") <= 0:
		return bad("repetition_penalty must be greater than zero, got %s.", "repetition_penalty")
	case !finite(f("temperature")):
		return named("temperature must be a finite number, got %s.", "temperature")
	case f("temperature") < 0:
		return named("temperature must be non-negative, got %s.", "temperature")
	case f("temperature") > 2:
		return named("temperature must be in [0, 2], got %s.", "temperature")
	case !(f("top_p") > 0 && f("top_p") <= 1):
		return named("top_p must be in (0, 1], got %s.", "top_p")
	case i("top_k") < -1:
		return bad("top_k must be 0 (disable), or at least 1, got %s.", "top_k")
	case !within(f("min_p"), 0, 1):
		return bad("min_p must be in [0, 1], got %s.", "min_p")
	}
	return samplingCounts(o, i, bad, named)
}

func samplingCounts(o *pyjson.Object, i func(string) int64, bad, named func(format, name string) *refusal.Error) *refusal.Error {
	limited := o.Value("max_tokens") != nil
	switch {
	case limited && i("max_tokens") < 1:
		return named("max_tokens must be at least 1, got %s.", "max_tokens")
	case i("min_tokens") < 0:
		return bad("min_tokens must be greater than or equal to 0, got %s.", "min_tokens")
	case limited && i("min_tokens") > i("max_tokens"):
		return refusal.Invalid("", nil, "min_tokens must be less than or equal to max_tokens=%s, got %s.", pyjson.Str(o.Value("max_tokens")),
			pyjson.Str(o.Value("min_tokens")))
	case o.Value("stream_interval") != nil && i("stream_interval") < 1:
		return named("stream_interval must be at least 1, got %s.", "stream_interval")
	case i("logprobs") < -1:
		return named("logprobs must be non-negative or -1, got %s.", "logprobs")
	case i("prompt_logprobs") < -1:
		return named("prompt_logprobs must be non-negative or -1, got %s.", "prompt_logprobs")
	}
	stop := o.Value("stop")
	if stops, isList := stop.([]any); isList && slices.Contains(stops, any("")) || stop == "" {
		return refusal.Invalid("", nil, "stop cannot contain an empty string.")
	}
	if python.Truthy(stop) && o.Value("detokenize") == false {
		return refusal.Invalid("", nil, "stop strings are only supported when detokenize is True. Set detokenize=True to use stop.")
	}
	if words, _ := o.Value("bad_words").([]any); slices.Contains(words, any("")) {
		return refusal.Invalid("", nil, "bad_words cannot contain an empty string. Got bad_words=%s", pyjson.Repr(python.Unique(words)))
	}
	if o.Value("temperature") == 0.0 && i("n") > 1 {
		return bad("n must be 1 when using greedy sampling, got %s.", "n")
	}
	return nil
}

func within(x, low, high float64) bool { return x >= low && x <= high }
func finite(x float64) bool            { return !math.IsInf(x, 0) && !math.IsNaN(x) }

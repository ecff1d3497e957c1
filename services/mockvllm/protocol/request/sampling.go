package request

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Defaults are the server's own sampling parameters, by their names in a generation config. Nil is vLLM's own.
type Defaults struct {
	Temperature       *float64 `json:"temperature"`
	TopP              *float64 `json:"top_p"`
	TopK              *int64   `json:"top_k"`
	MinP              *float64 `json:"min_p"`
	RepetitionPenalty *float64 `json:"repetition_penalty"`
	MaxTokens         *int64   `json:"max_new_tokens"` // no answer is longer
}

// minTemperature is the lowest one that vLLM samples at, unless it is greedy.
const minTemperature = 0.01

// Sampling reads the sampling parameters that chat and text completions name alike; a field that is not given has the
// server's default.
func Sampling(v *schema.Values, d Defaults) sampling.Params {
	p := sampling.Default()
	p.N = orInt(v, "n", 1)
	for _, f := range []struct {
		name string
		to   *float64
		from *float64
	}{
		{"presence_penalty", &p.PresencePenalty, nil}, {"frequency_penalty", &p.FrequencyPenalty, nil},
		{"repetition_penalty", &p.RepetitionPenalty, d.RepetitionPenalty}, {"temperature", &p.Temperature, d.Temperature},
		{"top_p", &p.TopP, d.TopP}, {"min_p", &p.MinP, d.MinP},
	} {
		if f.from != nil {
			*f.to = *f.from
		}
		if x, given := v.Float(f.name); given {
			*f.to = x
		}
	}
	if p.Temperature > 0 && p.Temperature < minTemperature {
		p.Temperature = minTemperature
	}
	if d.TopK != nil {
		p.TopK = *d.TopK
	}
	p.TopK = orInt(v, "top_k", p.TopK)
	if seed := optInt(v, "seed"); seed != nil && *seed != -1 {
		p.Seed = seed
	}
	p.MinTokens = orInt(v, "min_tokens", 0)
	p.IncludeStop = v.Bool("include_stop_str_in_output")
	p.IgnoreEOS = v.Bool("ignore_eos")
	p.HideSpecial = v.Bool("skip_special_tokens")
	p.SpacesBetween = v.Bool("spaces_between_special_tokens")
	p.PromptLogprobs = optInt(v, "prompt_logprobs")
	p.ThinkingBudget = optInt(v, "thinking_token_budget")
	p.StreamInterval = orInt(v, "stream_interval", 0)
	p.ExpertsFrom = orInt(v, "routed_experts_prompt_start", 0)
	p.Beyond = beyond(v)
	p.Extra = extra(v)
	p.Stop = stops(v)
	p.StopTokenIDs = unique(ints(v, "stop_token_ids"))
	if ids := ints(v, "logprob_token_ids"); len(ids) > 0 {
		p.LogprobTokens = ids
	}
	p.Allowed = ints(v, "allowed_token_ids")
	for _, w := range List(v, "bad_words") {
		p.BadWords = append(p.BadWords, w.(string))
	}
	p.BadWords = unique(p.BadWords)
	p.Bias = bias(v)
	p.Constraint = constraint(v)
	if r := v.Values("repetition_detection"); r != nil {
		p.Repetition = sampling.Repetition{MaxSize: orInt(r, "max_pattern_size", 0), MinSize: orInt(r, "min_pattern_size", 0), Count: orInt(r, "min_count", 0)}
	}
	return p
}

// extra are the arguments for plugins, and those for the transfer of caches among them.
func extra(v *schema.Values) *pyjson.Object {
	all, _ := schema.Dumped(v.Get("vllm_xargs")).(*pyjson.Object)
	for _, name := range []string{"kv_transfer_params", "ec_transfer_params"} {
		if transfer := v.Get(name); schema.Truthy(transfer) {
			all = all.Clone()
			all.Set(name, transfer)
		}
	}
	return all
}

// unique leaves the first of equal ones, as vLLM does, in the list itself.
func unique[T comparable](list []T) []T {
	if len(list) < 2 {
		return list
	}
	seen := map[T]bool{}
	return slices.DeleteFunc(list, func(x T) bool {
		again := seen[x]
		seen[x] = true
		return again
	})
}

// beyond are the numbers beyond an int64, as written, by the names that the checks have for them. Where several fields have one
// name, the last counts.
func beyond(v *schema.Values) (all map[string]string) {
	if !v.Large() {
		return nil
	}
	for _, f := range [][2]string{{"n", "n"}, {"top_k", "top_k"}, {"min_tokens", "min_tokens"}, {"logprobs", "logprobs"}, {"top_logprobs", "logprobs"},
		{"prompt_logprobs", "prompt_logprobs"}, {"stream_interval", "stream_interval"}, {"thinking_token_budget", "thinking_token_budget"}, {"routed_experts_prompt_start", "routed_experts_prompt_start"}, {"max_tokens", "max_tokens"},
		{"max_output_tokens", "max_tokens"}, {"max_completion_tokens", "max_tokens"}} {
		if large, ok := v.Get(f[0]).(pyjson.Number); ok {
			if all == nil {
				all = map[string]string{}
			}
			all[f[1]] = string(large)
		}
	}
	return all
}

// stops reads a string or a list of them.
func stops(v *schema.Values) (all []string) {
	if s, one := v.Str("stop"); one {
		return []string{s}
	}
	for _, s := range List(v, "stop") {
		all = append(all, s.(string))
	}
	return all
}

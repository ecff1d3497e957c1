package render

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// object writes members, each after a comma but the first.
type object struct {
	b    []byte
	said func(name string, n int64) string // an integer of any size, as it was written
}

func (o *object) key(name string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(o.b, `"`+name+`":`...)
}

func (o *object) json(name string, v any) {
	o.key(name)
	o.b = protocol.AppendJSON(o.b, v)
}

func (o *object) integer(name string, n int64) {
	o.key(name)
	o.b = append(o.b, o.said(name, n)...)
}

func (o *object) float(name string, f float64) {
	o.key(name)
	o.b = protocol.AppendFloat(o.b, f)
}

// truth writes what is not the default.
func (o *object) truth(name string, b, absent bool) {
	if b != absent {
		o.key(name)
		o.b = strconv.AppendBool(o.b, b)
	}
}

func (o *object) optional(name string, n *int64) {
	if n != nil {
		o.integer(name, *n)
	}
}

// unless writes an integer that is not the default.
func (o *object) unless(absent int64, name string, n int64) {
	if n != absent {
		o.integer(name, n)
	}
}

// defaultMax is SamplingParams' own max_tokens.
const defaultMax = 16

// appendParams writes SamplingParams as msgspec does with omit_defaults: members that are the very object of the default are
// left out. For integers and booleans of Python that is what equals it. Of the floats, top_p and min_p are these objects when
// sampling is greedy, and the others never. Lists are never.
func (r *rendering) appendParams(b []byte, p *sampling.Params) []byte {
	o := &object{append(b, '{'), p.Said}
	o.unless(1, "n", p.N)
	o.float("presence_penalty", p.PresencePenalty)
	o.float("frequency_penalty", p.FrequencyPenalty)
	o.float("repetition_penalty", p.RepetitionPenalty)
	r.temperature(o, p)
	if on, given := r.v.Get("watermarking").(bool); given {
		o.json("watermarking", on)
	}
	if !p.Greedy() {
		o.float("top_p", p.TopP)
		o.unless(0, "top_k", p.TopK)
		o.float("min_p", p.MinP)
	}
	o.optional("seed", p.Seed)
	o.json("stop", protocol.Items(p.Stop))
	o.json("stop_token_ids", schema.Unique(request.List(r.v, "stop_token_ids")))
	o.truth("ignore_eos", p.IgnoreEOS, false)
	o.unless(defaultMax, "max_tokens", p.MaxTokens)
	o.unless(0, "min_tokens", p.MinTokens)
	o.optional("logprobs", p.Logprobs)
	o.optional("prompt_logprobs", p.PromptLogprobs)
	if p.LogprobTokens != nil {
		o.json("logprob_token_ids", protocol.Items(p.LogprobTokens))
	}
	o.truth("skip_special_tokens", p.HideSpecial, true)
	o.truth("spaces_between_special_tokens", p.SpacesBetween, true)
	o.truth("include_stop_str_in_output", p.IncludeStop, false)
	r.output(o, p)
	r.constraints(o, p)
	if p.Extra.Len() > 0 || r.kind == "ResponsesRequest" {
		o.json("extra_args", p.Extra)
	}
	o.json("bad_words", protocol.Items(p.BadWords))
	o.json("skip_reading_prefix_cache", p.PromptLogprobs != nil)
	if budget := p.ThinkingBudget; budget != nil && *budget >= 0 {
		o.integer("thinking_token_budget", *budget)
	}
	if stuck := r.v.Get("repetition_detection"); stuck != nil {
		o.json("repetition_detection", stuck)
	}
	if start, _ := r.v.Int("routed_experts_prompt_start"); start != 0 {
		o.integer("routed_experts_prompt_start", start)
	}
	return append(o.b, '}')
}

// temperature writes a default of the server as its configuration has it, which may be an integer.
func (r *rendering) temperature(o *object, p *sampling.Params) {
	t := p.Temperature
	if r.v.Get("temperature") == nil && r.model.Defaults.Temperature != nil && t == math.Trunc(t) {
		o.integer("temperature", int64(t))
		return
	}
	o.float("temperature", t)
}

// output writes how the answer is told.
func (r *rendering) output(o *object, p *sampling.Params) {
	const delta, final = 1, 2
	if r.common.Stream {
		o.integer("output_kind", delta)
	} else {
		o.integer("output_kind", final)
	}
	o.unless(0, "stream_interval", p.StreamInterval)
	o.truth("skip_clone", true, false)
	held := 0 // characters, for stop strings
	for _, s := range p.Stop {
		held = max(held, utf8.RuneCountInString(s)-1)
	}
	if !p.IncludeStop {
		o.unless(0, "output_text_buffer_length", int64(held))
	}
}

// constraints writes what the answer may hold.
func (r *rendering) constraints(o *object, p *sampling.Params) {
	if c := p.Constraint; c != nil {
		asked := r.v.Values("structured_outputs")
		o.key("structured_outputs")
		in := &object{append(o.b, '{'), p.Said}
		for _, kind := range []string{"json", "regex", "choice", "grammar", "json_object"} {
			in.constraint(c, kind)
		}
		in.json("disable_any_whitespace", asked.Bool("disable_any_whitespace"))
		in.json("disable_additional_properties", asked.Bool("disable_additional_properties"))
		in.json("whitespace_pattern", asked.Get("whitespace_pattern"))
		in.constraint(c, "structural_tag")
		o.b = append(in.b, `,"_backend":null,"_backend_was_auto":false}`...)
	}
	if r.v.Get("logit_bias") != nil {
		bias := pyjson.NewObject()
		for _, one := range p.Bias {
			bias.Set(one.Key, one.By)
		}
		o.json("logit_bias", bias)
	}
	if p.Allowed != nil {
		o.json("allowed_token_ids", request.List(r.v, "allowed_token_ids"))
	}
}

func (o *object) constraint(c *sampling.Constraint, kind string) {
	if c.Kind == kind {
		o.json(kind, c.Spec)
	} else {
		o.json(kind, nil)
	}
}

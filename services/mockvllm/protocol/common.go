package protocol

import (
	"math"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text"
)

// Common is what chat and text completions share.
type Common struct {
	Model     string // "" for the default one
	Stream    bool
	Usage     bool // the stream ends with a usage chunk
	Running   bool // each chunk carries the usage so far
	N         int
	RequestID string
	CacheSalt string // keeps prompts of one tenant apart from another's in the prefix cache

	limits      text.Limits
	max         int64 // as requested
	maxGiven    bool
	maxName     string // the field that max came from
	samplings   samplings
	noneAllowed bool     // allowed_token_ids is an empty list
	undone      []string // parameters that ask for what this server does not do
}

// Shared gives what all requests for answers have.
func (c *Common) Shared() *Common { return c }

// samplings are numbers that vLLM checks and whose effect on an answer no mock can show.
type samplings struct {
	presence, frequency     float64
	repetition, temperature float64
	topP, minP              float64
	topK                    int64
}

// ask notes a parameter that this server does not support, when it asks for something.
func (c *Common) ask(asked bool, name string) {
	if asked {
		c.undone = append(c.undone, name)
	}
}

func or[T any](v T, given bool, absent T) T {
	if given {
		return v
	}
	return absent
}

func (f *fields) floatOr(name string, absent float64) float64 {
	v, given := f.float(name)
	return or(v, given, absent)
}

// before runs the checks that vLLM makes on the raw values, before it looks at any type.
func before(o object) *Error {
	if opts := o["stream_options"]; opts != nil && !empty(opts) {
		if stream, _ := laxBool(o["stream"]); !stream {
			return badValue("stream_options", "", "Stream options can only be defined when `stream=True`.")
		}
	}
	if err := promptLogprobs(o); err != nil {
		return err
	}
	if salt, there := o["cache_salt"]; there && salt != nil {
		if s, ok := salt.(string); !ok || s == "" {
			return badValue("cache_salt", "", "Parameter 'cache_salt' must be a non-empty string if provided.")
		}
	}
	if format, ok := o["response_format"].(object); ok && format["type"] == "json_schema" && format["json_schema"] == nil {
		return badValue("response_format", "", "When response_format type is 'json_schema', the 'json_schema' field must be provided.")
	}
	return nil
}

func promptLogprobs(o object) *Error {
	v, ok := o["prompt_logprobs"].(number)
	if !ok || !v.integer() {
		return nil
	}
	n := clamped(string(v))
	stream, _ := laxBool(o["stream"])
	switch {
	case stream && (n > 0 || n == -1):
		return badValue("prompt_logprobs", "", "`prompt_logprobs` are not available when `stream=True`.")
	case n < 0 && n != -1:
		return badValue("prompt_logprobs", string(v), "`prompt_logprobs` must be a positive value or -1.")
	}
	return nil
}

func empty(v any) bool {
	o, ok := v.(object)
	return ok && len(o) == 0
}

// streamOptions reads {include_usage, continuous_usage_stats}. The second does nothing without the first.
func (c *Common) streamOptions(f *fields) {
	v, ok := f.get("stream_options")
	if !ok {
		return
	}
	o, ok := v.(object)
	if !ok {
		f.fault("stream_options", "model_attributes_type", notAnObject, v, "")
		return
	}
	f.inside("stream_options", o, func(options *fields) {
		c.Usage = options.boolean("include_usage", false)
		c.Running = options.boolean("continuous_usage_stats", false) && c.Usage
	})
}

// bias reads the weights that a request puts on tokens.
func (c *Common) bias(f *fields) {
	bias := f.dict("logit_bias")
	for key, v := range bias {
		if _, kind, msg := laxFloat(v); kind != "" {
			f.fault("logit_bias."+key, kind, msg, v, "")
		}
	}
	c.ask(len(bias) > 0, "logit_bias")
}

// sampling reads what stands from use_beam_search on, which both models order alike up to truncation_side.
func (c *Common) sampling(f *fields) {
	c.ask(f.boolean("use_beam_search", false), "use_beam_search")
	topK, _ := f.integer("top_k")
	c.samplings.topK = topK
	c.samplings.minP = f.floatOr("min_p", 0)
	c.samplings.repetition = f.floatOr("repetition_penalty", 1)
	f.boolean("watermarking", false)
	f.float("length_penalty")
	c.limits.StopTokens = f.integers("stop_token_ids")
	c.limits.IncludeStop = f.boolean("include_stop_str_in_output", false)
	c.limits.IgnoreEnd = f.boolean("ignore_eos", false)
	minTokens, _ := f.integer("min_tokens")
	c.limits.Min = int(minTokens)
	f.boolean("skip_special_tokens", true)
	f.boolean("spaces_between_special_tokens", true)
	_, given := f.between("truncate_prompt_tokens", -1, math.MaxInt64)
	c.ask(given, "truncate_prompt_tokens")
	f.literal("truncation_side", "left", "right")
}

// structured reads a constraint on the answer's text.
func (c *Common) structured(f *fields) {
	c.ask(f.dict("structured_outputs") != nil, "structured_outputs")
}

func (c *Common) responseFormat(f *fields) {
	v, ok := f.get("response_format")
	if !ok {
		return
	}
	format, isObject := v.(object)
	if !isObject {
		f.fault("response_format", "model_attributes_type", notAnObject, v, "")
		return
	}
	kind, there := format["type"]
	if !there {
		f.fault("response_format.type", "missing", "Field required", v, "")
		return
	}
	c.ask(kind != "text", "response_format")
}

// service reads the fields at the end, which both models order alike.
func (c *Common) service(f *fields) {
	f.between("priority", math.MinInt64, math.MaxInt64)
	c.RequestID = f.str("request_id")
	f.str("session_id")
	f.boolean("return_tokens_as_token_ids", false)
	c.ask(f.boolean("return_token_ids", false), "return_token_ids")
	f.between("routed_experts_prompt_start", 0, math.MaxInt64)
	f.boolean("return_token_offsets", false)
	c.ask(f.boolean("return_prompt_text", false), "return_prompt_text")
	f.literal("mm_payload", "tensors", "none")
	f.boolean("return_mm_kwargs", false)
	c.CacheSalt = f.str("cache_salt")
	for _, name := range []string{"kv_transfer_params", "ec_transfer_params", "vllm_xargs"} {
		f.dict(name)
	}
	detect := f.dict("repetition_detection")
	if size, _, _ := laxInt(detect["max_pattern_size"]); detect != nil && size != 0 {
		c.ask(true, "repetition_detection")
	}
	if interval, given := f.between("stream_interval", 1, math.MaxInt64); given && interval > 1 && c.Stream {
		c.ask(true, "stream_interval")
	}
}

// finish gives the first schema error.
func (f *fields) finish() *Error {
	if len(f.faults) == 0 {
		return nil
	}
	return schemaError(f.faults...)
}

// badText is what the tokenizer says about half of a UTF-16 pair.
func badText(s string) *Error {
	if !strings.Contains(s, loneSurrogate) {
		return nil
	}
	return badRequest("TextEncodeInput must be Union[TextInputSequence, Tuple[InputSequence, InputSequence]]")
}

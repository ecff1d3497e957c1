package declared

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/pydantic"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/values"
)

func init() {
	register(map[string]pydantic.Hook{
		"__log_extra_fields__":                    {}, // logs only
		"model_post_init":                         {}, // private attributes
		"<lambda>":                                {Before: nullIsZero},
		"sequence_validator":                      {Before: pydantic.SequenceValidator},
		"validate_thinking_token_budget":          {Before: thinkingTokenBudget, Raises: true},
		"StructuredOutputsParams.__post_init__":   pydantic.OnModel(oneConstraint),
		"RepetitionDetectionParams.__post_init__": pydantic.OnModel(repetitionDetection),
		"apply_return_mm_kwargs_alias":            {Before: returnMMKwargs},
		"check_cache_salt_support":                pydantic.OnObject(cacheSalt),
		"check_generation_prompt":                 pydantic.OnObject(generationPrompt),
		"validate_stream_options":                 pydantic.OnObject(streamOptions),
		"validate_response_format":                pydantic.OnObject(responseFormat),
	})
}

// nullIsZero is the lambda of top_logprobs.
func nullIsZero(_ *node.Run, in any) (any, bool) {
	if in == nil {
		return pyjson.Number("0"), true
	}
	return in, true
}

func thinkingTokenBudget(r *node.Run, in any) (any, bool) {
	if in == nil {
		return nil, true
	}
	n, isNumber := in.(pyjson.Number)
	if isNumber && n == "-1" {
		return nil, true
	}
	if !isNumber || !n.IsInt() || n.Float() < 0 {
		return r.Raise(badBudget(in))
	}
	return in, true
}

func badBudget(v any) *refusal.Error {
	return refusal.Invalid("thinking_token_budget", v, "`thinking_token_budget` must be a non-negative integer or -1 for unlimited.")
}

func oneConstraint(v *values.Values) *refusal.Error {
	count := 0
	for _, name := range []string{"json", "regex", "choice", "grammar", "json_object", "structural_tag"} {
		if !v.Null(name) {
			count++
		}
	}
	switch {
	case count > 1:
		return refusal.Invalid("", nil, "You can only use one kind of structured outputs constraint but multiple are specified: %s", v.Repr())
	case count < 1:
		return refusal.Invalid("", nil, "You must use one kind of structured outputs constraint but none are specified: %s", v.Repr())
	}
	return nil
}

func repetitionDetection(v *values.Values) *refusal.Error {
	largest, _ := v.Int("max_pattern_size")
	least, _ := v.Int("min_pattern_size")
	count, _ := v.Int("min_count")
	switch {
	case largest < 0 || least < 0 || least > largest:
		return refusal.Invalid("", nil, "max_pattern_size, min_pattern_size must be >=0, with min_pattern_size <= max_pattern_size. "+
			"Set both to 0 to disable repetitive pattern detection.")
	case largest > 0 && count < 2:
		return refusal.Invalid("", nil, "min_count must be >= 2 to detect repetitive patterns in engine output. "+
			"If you do not wish to detect repetitive patterns, set max_pattern_size to 0.")
	}
	return nil
}

func returnMMKwargs(_ *node.Run, in any) (any, bool) {
	o, ok := in.(*pyjson.Object)
	if !ok || o.Value("return_mm_kwargs") != false {
		return in, true
	}
	if _, given := o.Get("mm_payload"); given {
		return in, true
	}
	o = o.Clone()
	o.Set("mm_payload", "none")
	return o, true
}

func cacheSalt(o *pyjson.Object) *refusal.Error {
	if salt := o.Value("cache_salt"); salt != nil {
		return Salt(salt)
	}
	return nil
}

// Salt is what is wrong with the salt of a cache.
func Salt(salt any) *refusal.Error {
	const longest = 128
	s, ok := salt.(string)
	switch {
	case !ok || s == "":
		return refusal.Invalid("cache_salt", nil, "Parameter 'cache_salt' must be a non-empty string if provided.")
	case pyjson.Len(s) > longest || strings.ContainsAny(s, "@/\\\x00"):
		return refusal.Invalid("cache_salt", nil, `Parameter 'cache_salt' must be at most 128 characters and must not contain '@', '/', '\\', or NUL.`)
	}
	return nil
}

func generationPrompt(o *pyjson.Object) *refusal.Error {
	if python.Truthy(o.Value("continue_final_message")) && python.Truthy(o.Value("add_generation_prompt")) {
		return refusal.Invalid("", nil, "Cannot set both `continue_final_message` and `add_generation_prompt` to True.")
	}
	return nil
}

func streamOptions(o *pyjson.Object) *refusal.Error {
	if python.Truthy(o.Value("stream_options")) && !python.Truthy(o.Value("stream")) {
		return refusal.Invalid("stream_options", nil, "Stream options can only be defined when `stream=True`.")
	}
	return nil
}

func responseFormat(o *pyjson.Object) *refusal.Error {
	format, _ := o.Value("response_format").(*pyjson.Object)
	switch format.Value("type") {
	case "json_schema":
		if format.Value("json_schema") == nil {
			return refusal.Invalid("response_format", nil, "When response_format type is 'json_schema', the 'json_schema' field must be provided.")
		}
	case "structural_tag":
		return structuralTagFormat(format)
	}
	return nil
}

// wholeOrAll is how vLLM checks the counts of logprobs, before their types are known.
func wholeOrAll(o *pyjson.Object, names ...string) *refusal.Error {
	for _, name := range names {
		v := o.Value(name)
		if _, ok := python.Number(v); v != nil && !ok {
			return refusal.Invalid(name, v, "`%s` must be an integer.", name)
		}
	}
	return nil
}

func promptLogprobs(o *pyjson.Object) *refusal.Error {
	v := o.Value("prompt_logprobs")
	n, ok := python.Number(v)
	switch {
	case !ok:
	case python.Truthy(o.Value("stream")) && (n > 0 || n == -1):
		return refusal.Invalid("prompt_logprobs", nil, "`prompt_logprobs` are not available when `stream=True`.")
	case n < 0 && n != -1:
		return refusal.Invalid("prompt_logprobs", v, "`prompt_logprobs` must be a positive value or -1.")
	}
	return nil
}

// constraints counts those of structured_outputs that exclude each other. Anything but an object has no get.
func constraints(outputs any) (int, *refusal.Error) {
	o, ok := outputs.(*pyjson.Object)
	if !ok {
		return 0, attribute(outputs, "get")
	}
	count := 0
	for _, name := range []string{"json", "regex", "choice"} {
		if o.Value(name) != nil {
			count++
		}
	}
	return count, nil
}

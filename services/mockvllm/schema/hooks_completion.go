package schema

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

func init() {
	register(map[string]hook{
		"CompletionRequest.normalize_null_max_tokens":         {before: nullMaxTokens},
		"CompletionRequest.check_structured_outputs_count":    on(completionStructuredOutputs),
		"CompletionRequest.check_logprobs":                    on(completionLogprobs),
		"CompletionRequest.validate_prompt_and_prompt_embeds": on(promptGiven),
		"CompletionRequest.validate_prompt_list_length":       on(promptListLength),
	})
}

// maxPrompts is vLLM's VLLM_MAX_COMPLETION_PROMPTS.
const maxPrompts = 1024

func nullMaxTokens(_ *run, in any) (any, bool) {
	o, ok := in.(*pyjson.Object)
	if !ok || get(o, "max_tokens") != nil {
		return in, true
	}
	o = o.Clone()
	o.Set("max_tokens", pyjson.Number("16"))
	return o, true
}

func completionStructuredOutputs(o *pyjson.Object) *Error {
	outputs := get(o, "structured_outputs")
	if outputs == nil {
		return nil
	}
	count, err := constraints(outputs)
	if err != nil {
		return err
	}
	if count > 1 {
		return invalid("structured_outputs", nil, "You can only use one kind of constraints for structured outputs ('json', 'regex' or 'choice').")
	}
	return structuredOutputsTag(outputs)
}

func completionLogprobs(o *pyjson.Object) *Error {
	ids, beam, echo, logprobs := truthy(get(o, "logprob_token_ids")), truthy(get(o, "use_beam_search")), truthy(get(o, "echo")), get(o, "logprobs")
	limit, isNumber := num(get(o, "max_tokens"))
	switch {
	case ids && beam:
		return invalid("logprob_token_ids", nil, "`logprob_token_ids` is not supported with beam search.")
	case beam && echo && logprobs != nil:
		return invalid("echo", nil, "`echo` with `logprobs` is not supported with beam search because beam search does not compute prompt logprobs.")
	case ids && echo && isNumber && limit == 0:
		return invalid("logprob_token_ids", nil, "`logprob_token_ids` is not supported when `echo=True` and `max_tokens=0` "+
			"because no output tokens are generated.")
	case ids && logprobs == nil:
		return invalid("logprob_token_ids", nil, "when using `logprob_token_ids`, `logprobs` must be set.")
	}
	if err := wholeOrAll(o, "prompt_logprobs", "logprobs"); err != nil {
		return err
	}
	if err := promptLogprobs(o); err != nil {
		return err
	}
	if n, ok := num(logprobs); ok && n < 0 && n != -1 {
		return invalid("logprobs", logprobs, "`logprobs` must be a positive value or -1.")
	}
	return nil
}

func promptGiven(o *pyjson.Object) *Error {
	prompt, embeds := get(o, "prompt"), get(o, "prompt_embeds")
	list, isList := embeds.([]any)
	if (prompt == nil || prompt == "") && (embeds == nil || isList && len(list) == 0) {
		return invalid("prompt", nil, "Either prompt or prompt_embeds must be provided and non-empty.")
	}
	return nil
}

func promptListLength(o *pyjson.Object) *Error {
	const text = "%s list length %d exceeds the maximum allowed count of %d. To increase this limit, set the VLLM_MAX_COMPLETION_PROMPTS environment variable."
	if prompt, _ := get(o, "prompt").([]any); len(prompt) > maxPrompts && !isInt(prompt[0]) {
		return invalid("prompt", nil, text, "prompt", len(prompt), maxPrompts)
	}
	if embeds, _ := get(o, "prompt_embeds").([]any); len(embeds) > maxPrompts {
		return invalid("prompt_embeds", nil, text, "prompt_embeds", len(embeds), maxPrompts)
	}
	return nil
}

// isInt is isinstance(v, int), which True is.
func isInt(v any) bool {
	n, ok := v.(pyjson.Number)
	_, isBool := v.(bool)
	return isBool || ok && n.IsInt()
}

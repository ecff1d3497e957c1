package declared

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/pydantic"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
)

func init() {
	register(map[string]pydantic.Hook{
		"CompletionRequest.normalize_null_max_tokens":         {Before: nullMaxTokens},
		"CompletionRequest.check_structured_outputs_count":    pydantic.OnObject(completionStructuredOutputs),
		"CompletionRequest.check_logprobs":                    pydantic.OnObject(completionLogprobs),
		"CompletionRequest.validate_prompt_and_prompt_embeds": pydantic.OnObject(promptGiven),
		"CompletionRequest.validate_prompt_list_length":       pydantic.OnObject(promptListLength),
	})
}

// maxPrompts is vLLM's VLLM_MAX_COMPLETION_PROMPTS.
const maxPrompts = 1024

func nullMaxTokens(_ *node.Run, in any) (any, bool) {
	o, ok := in.(*pyjson.Object)
	if !ok || o.Value("max_tokens") != nil {
		return in, true
	}
	o = o.Clone()
	o.Set("max_tokens", pyjson.Number("16"))
	return o, true
}

func completionStructuredOutputs(o *pyjson.Object) *refusal.Error {
	outputs := o.Value("structured_outputs")
	if outputs == nil {
		return nil
	}
	count, err := constraints(outputs)
	if err != nil {
		return err
	}
	if count > 1 {
		return refusal.Invalid("structured_outputs", nil, "You can only use one kind of constraints for structured outputs ('json', 'regex' or 'choice').")
	}
	return structuredOutputsTag(outputs)
}

func completionLogprobs(o *pyjson.Object) *refusal.Error {
	ids, beam, echo, logprobs := python.Truthy(o.Value("logprob_token_ids")), python.Truthy(o.Value("use_beam_search")), python.Truthy(o.Value("echo")), o.Value("logprobs")
	limit, isNumber := python.Number(o.Value("max_tokens"))
	switch {
	case ids && beam:
		return refusal.Invalid("logprob_token_ids", nil, "`logprob_token_ids` is not supported with beam search.")
	case beam && echo && logprobs != nil:
		return refusal.Invalid("echo", nil, "`echo` with `logprobs` is not supported with beam search because beam search does not compute prompt logprobs.")
	case ids && echo && isNumber && limit == 0:
		return refusal.Invalid("logprob_token_ids", nil, "`logprob_token_ids` is not supported when `echo=True` and `max_tokens=0` "+
			"because no output tokens are generated.")
	case ids && logprobs == nil:
		return refusal.Invalid("logprob_token_ids", nil, "when using `logprob_token_ids`, `logprobs` must be set.")
	}
	if err := wholeOrAll(o, "prompt_logprobs", "logprobs"); err != nil {
		return err
	}
	if err := promptLogprobs(o); err != nil {
		return err
	}
	if n, ok := python.Number(logprobs); ok && n < 0 && n != -1 {
		return refusal.Invalid("logprobs", logprobs, "`logprobs` must be a positive value or -1.")
	}
	return nil
}

func promptGiven(o *pyjson.Object) *refusal.Error {
	prompt, embeds := o.Value("prompt"), o.Value("prompt_embeds")
	list, isList := embeds.([]any)
	if (prompt == nil || prompt == "") && (embeds == nil || isList && len(list) == 0) {
		return refusal.Invalid("prompt", nil, "Either prompt or prompt_embeds must be provided and non-empty.")
	}
	return nil
}

func promptListLength(o *pyjson.Object) *refusal.Error {
	const text = "%s list length %d exceeds the maximum allowed count of %d. To increase this limit, set the VLLM_MAX_COMPLETION_PROMPTS environment variable."
	if prompt, _ := o.Value("prompt").([]any); len(prompt) > maxPrompts && !isInt(prompt[0]) {
		return refusal.Invalid("prompt", nil, text, "prompt", len(prompt), maxPrompts)
	}
	if embeds, _ := o.Value("prompt_embeds").([]any); len(embeds) > maxPrompts {
		return refusal.Invalid("prompt_embeds", nil, text, "prompt_embeds", len(embeds), maxPrompts)
	}
	return nil
}

// isInt is isinstance(v, int), which True is.
func isInt(v any) bool {
	n, ok := v.(pyjson.Number)
	_, isBool := v.(bool)
	return isBool || ok && n.IsInt()
}

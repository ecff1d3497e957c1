package declared

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/pydantic"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/values"
)

func init() {
	register(map[string]pydantic.Hook{
		"ChatCompletionToolsParam._propagate_defer_loading":       {After: propagateDeferLoading},
		"ChatCompletionRequest._normalize_messages_before":        pydantic.OnObject(normalizeMessages),
		"ChatCompletionRequest._materialize_tool_calls_after":     {After: materializeToolCalls, Raises: true},
		"ChatCompletionRequest.check_logprobs":                    pydantic.OnObject(chatLogprobs),
		"ChatCompletionRequest.check_structured_outputs_count":    pydantic.OnObject(chatStructuredOutputs),
		"ChatCompletionRequest.check_tool_usage":                  pydantic.OnObject(chatTools),
		"ChatCompletionRequest.drop_prompt_token_ids_with_media":  pydantic.OnObject(dropPromptTokenIDs),
		"ChatCompletionRequest.check_system_message_content_type": pydantic.OnObject(systemMessageContent),
		"BatchChatCompletionRequest.check_batch_mode":             pydantic.OnObject(batchMode),
	})
}

// normalizeMessages renames reasoning_content, and makes lists of tool calls that are none.
func normalizeMessages(o *pyjson.Object) *refusal.Error {
	messages, _ := o.Value("messages").([]any)
	for _, m := range messages {
		msg, ok := m.(*pyjson.Object)
		if !ok {
			continue
		}
		if calls := msg.Value("tool_calls"); calls != nil {
			list, err := iterate(calls)
			if err != nil {
				return err
			}
			if _, isList := calls.([]any); !isList {
				msg.Set("tool_calls", list)
			}
		}
		if content, _ := msg.Delete("reasoning_content"); content != nil && msg.Value("reasoning") == nil {
			msg.Set("reasoning", content)
		}
	}
	return nil
}

func propagateDeferLoading(_ *node.Run, _, out any) (any, bool) {
	if v, ok := out.(*values.Values); ok && !v.Null("defer_loading") {
		if f := v.Values("function"); f != nil && f.Null("defer_loading") {
			f.Put("defer_loading", v.Get("defer_loading"))
		}
	}
	return out, true
}

// materializeToolCalls validates the calls of the finished messages. Pydantic's error comes out as faults of the request.
func materializeToolCalls(r *node.Run, _, out any) (any, bool) {
	v, ok := out.(*values.Values)
	if !ok {
		return out, true
	}
	messages, _ := v.List("messages")
	for _, m := range messages {
		msg, ok := m.(*pyjson.Object)
		if !ok {
			continue
		}
		calls, ok := msg.Value("tool_calls").(*values.Iterator)
		if !ok {
			continue
		}
		list, ok := pydantic.Items(r, calls)
		if !ok {
			return nil, false
		}
		msg.Set("tool_calls", list)
	}
	return out, true
}

func chatLogprobs(o *pyjson.Object) *refusal.Error {
	ids, logprobs := python.Truthy(o.Value("logprob_token_ids")), python.Truthy(o.Value("logprobs"))
	switch {
	case ids && python.Truthy(o.Value("use_beam_search")):
		return refusal.Invalid("logprob_token_ids", nil, "`logprob_token_ids` is not supported with beam search.")
	case ids && !logprobs:
		return refusal.Invalid("logprob_token_ids", nil, "when using `logprob_token_ids`, `logprobs` must be set to true.")
	}
	if err := wholeOrAll(o, "prompt_logprobs", "top_logprobs"); err != nil {
		return err
	}
	if err := promptLogprobs(o); err != nil {
		return err
	}
	top := o.Value("top_logprobs")
	n, ok := python.Number(top)
	switch {
	case !ok:
	case n < 0 && n != -1:
		return refusal.Invalid("top_logprobs", top, "`top_logprobs` must be a positive value or -1.")
	case (n == -1 || n > 0) && !logprobs:
		return refusal.Invalid("top_logprobs", nil, "when using `top_logprobs`, `logprobs` must be set to true.")
	}
	return nil
}

func chatStructuredOutputs(o *pyjson.Object) *refusal.Error {
	outputs := o.Value("structured_outputs")
	if outputs == nil {
		return nil
	}
	count, err := constraints(outputs)
	if err != nil {
		return err
	}
	if count > 1 {
		return refusal.Invalid("", nil, "You can only use one kind of constraints for structured outputs ('json', 'regex' or 'choice').")
	}
	choice, given := o.Get("tool_choice")
	if count > 0 && given && !in(choice, "none", "auto", "required") {
		return refusal.Invalid("", nil, "You can only either use constraints for structured outputs or tools, not both.")
	}
	return structuredOutputsTag(outputs)
}

// mediaKeys are those of a content part that holds no text, textTypes the types of one that does.
var (
	mediaKeys = []string{"image_url", "image_pil", "image_embeds", "audio_url", "input_audio", "audio_embeds", "video_url"}
	textTypes = []string{"text", "input_text", "output_text", "refusal", "thinking"}
)

func dropPromptTokenIDs(o *pyjson.Object) *refusal.Error {
	params, ok := o.Value("kv_transfer_params").(*pyjson.Object)
	if ok && params.Value("prompt_token_ids") != nil && hasMedia(o.Value("messages")) {
		params.Delete("prompt_token_ids")
	}
	return nil
}

func hasMedia(messages any) bool {
	list, _ := messages.([]any)
	for _, m := range list {
		msg, _ := m.(*pyjson.Object)
		parts, _ := msg.Value("content").([]any)
		for _, p := range parts {
			part, ok := p.(*pyjson.Object)
			if !ok {
				continue
			}
			kind, given := part.Get("type")
			if given && !in(kind, textTypes...) {
				return true
			}
			for _, key := range mediaKeys {
				if _, ok := part.Get(key); ok {
					return true
				}
			}
		}
	}
	return false
}

// systemMessageContent only logs, but the logger wants what it logs to be hashable.
func systemMessageContent(o *pyjson.Object) *refusal.Error {
	messages, given := o.Get("messages")
	if !given {
		return nil
	}
	list, err := iterate(messages)
	if err != nil {
		return err
	}
	for _, m := range list {
		msg, ok := m.(*pyjson.Object)
		if !ok || !in(msg.Value("role"), "system") {
			continue
		}
		parts, _ := msg.Value("content").([]any)
		for _, p := range parts {
			part, ok := p.(*pyjson.Object)
			if !ok {
				continue
			}
			switch kind := part.Value("type").(type) {
			case []any, *pyjson.Object:
				if python.Truthy(kind) {
					return refusal.BadRequest("unhashable type: '"+pyjson.TypeName(kind)+"'", "")
				}
			}
		}
	}
	return nil
}

func batchMode(o *pyjson.Object) *refusal.Error {
	if python.Truthy(o.Value("use_beam_search")) {
		return refusal.Invalid("use_beam_search", nil, "Batch chat completions do not support beam search. Please set `use_beam_search` to False.")
	}
	if python.Truthy(o.Value("logprob_token_ids")) && !python.Truthy(o.Value("logprobs")) {
		return refusal.Invalid("logprob_token_ids", nil, "when using `logprob_token_ids`, `logprobs` must be set to true.")
	}
	if params, ok := o.Value("kv_transfer_params").(*pyjson.Object); ok && params.Value("prompt_token_ids") != nil {
		return refusal.Invalid("kv_transfer_params.prompt_token_ids", nil, "Batch chat completions do not support "+
			"`kv_transfer_params['prompt_token_ids']`: one pre-tokenized prompt cannot serve several conversations.")
	}
	if format, ok := o.Value("response_format").(*pyjson.Object); ok && in(format.Value("type"), "structural_tag") {
		if err := structuralTagFormat(format); err != nil {
			return err
		}
	}
	if outputs := o.Value("structured_outputs"); outputs != nil {
		if err := structuredOutputsTag(outputs); err != nil {
			return err
		}
	}
	n, given := o.Get("n")
	if f, ok := python.Number(n); given && n != nil && (!ok || f != 1) {
		return refusal.Invalid("n", n, "Batch chat completions do not support `n > 1`. Please set `n` to 1.")
	}
	return nil
}

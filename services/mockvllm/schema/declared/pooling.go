package declared

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/node"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/pydantic"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/values"
)

func init() {
	register(map[string]pydantic.Hook{
		"reject_removed_pooling_parameters":                       pydantic.OnObject(removedPoolingParameters),
		"EmbeddingChatInputRequest.normalize_input_messages":      inputMessages(areMessages),
		"EmbeddingBatchChatInputRequest.normalize_input_messages": inputMessages(areConversations),
		"min_length_validator":                                    {After: pydantic.AtLeastOne},
		"ScoringRequestMixin._merge_instruction_into_kwargs":      {After: instructionToKwargs},
		"CohereEmbedContent.validate_content_payload":             rightModel(embedContent),
		"CohereEmbedRequest.validate_input_fields":                rightModel(embedInput),
	})
}

func removedPoolingParameters(o *pyjson.Object) *refusal.Error {
	if _, given := o.Get("normalize"); given {
		return refusal.Invalid("normalize", nil, "Parameter `normalize` was removed; use `use_activation` instead.")
	}
	switch o.Value("task") {
	case "score":
		return refusal.Invalid("task", nil, "`score` task was removed; use `classify` instead.")
	case "encode":
		return refusal.Invalid("task", nil, "`encode` task was removed; use `token_embed` or `token_classify` instead.")
	}
	return nil
}

// inputMessages makes a hook that takes the input for the messages where it is such.
func inputMessages(are func(any) bool) pydantic.Hook {
	return pydantic.Hook{Before: func(_ *node.Run, in any) (any, bool) {
		o, ok := in.(*pyjson.Object)
		input, given := o.Get("input")
		if _, has := o.Get("messages"); !ok || has || !given || !are(input) {
			return in, true
		}
		o = o.Clone()
		o.Set("messages", input)
		return o, true
	}}
}

func areMessages(v any) bool {
	return allOf(v, func(item any) bool {
		o, _ := item.(*pyjson.Object)
		_, ok := o.Value("role").(string)
		return ok
	})
}

func areConversations(v any) bool { return allOf(v, areMessages) }

func allOf(v any, is func(any) bool) bool {
	list, _ := v.([]any)
	return len(list) > 0 && !slices.ContainsFunc(list, func(item any) bool { return !is(item) })
}

func instructionToKwargs(_ *node.Run, _, out any) (any, bool) {
	v, ok := out.(*values.Values)
	if !ok || v.Null("instruction") {
		return out, true
	}
	merged := v.Object("chat_template_kwargs").Clone()
	if _, given := merged.Get("instruction"); !given {
		merged.Set("instruction", v.Get("instruction"))
	}
	v.Put("chat_template_kwargs", merged)
	return v, true
}

func embedContent(v *values.Values) string {
	if v.Get("type") == "text" {
		if v.Null("text") {
			return "CohereEmbedContent with type='text' requires text"
		}
	} else if !python.Truthy(v.Object("image_url").Value("url")) {
		return "CohereEmbedContent with type='image_url' requires image_url.url"
	}
	return ""
}

func embedInput(v *values.Values) string {
	given := 0
	for _, name := range []string{"texts", "images", "inputs"} {
		if list, ok := v.List(name); ok {
			if given++; len(list) == 0 {
				given = 2
			}
		}
	}
	if given != 1 {
		return "Exactly one of texts, images, or inputs must be provided, and it must be non-empty"
	}
	return ""
}

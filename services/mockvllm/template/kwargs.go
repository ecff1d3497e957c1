package template

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// misused refuses chat_template_kwargs that get into the way of transformers' own parameters, in Python's words and in those of
// transformers' apply_chat_template.
func misused(kwargs *pyjson.Object) error {
	for _, key := range []string{"conversation", "tokenizer"} {
		if _, given := kwargs.Get(key); given {
			return &Error{"safe_apply_chat_template() got multiple values for argument '" + key + "'"}
		}
	}
	if template, _ := kwargs.Get("chat_template"); template != nil {
		return &Error{"Found unexpected chat template kwargs from request: {'chat_template'}"}
	}
	if _, given := kwargs.Get("self"); given {
		return &Error{"maybe_make_thread_pool.<locals>.TokenizerPool.apply_chat_template() got multiple values for argument 'self'"}
	}
	if !objects(kwargs, "tools") {
		return &Error{"Tools should either be a JSON schema, or a callable function with type hints and a docstring suitable for auto-conversion to a schema."}
	}
	if !objects(kwargs, "documents") {
		return &Error{"Documents should be a list of dicts with 'title' and 'text' keys!"}
	}
	if _, given := kwargs.Get("messages"); given {
		return &Error{"jinja2.environment.Template.render() got multiple values for keyword argument 'messages'"}
	}
	return nil
}

// objects tells whether an argument is absent or holds nothing but objects.
func objects(kwargs *pyjson.Object, key string) bool {
	v, _ := kwargs.Get(key)
	switch v := v.(type) {
	case string:
		return v == ""
	case []any:
		for _, item := range v {
			if _, ok := item.(*pyjson.Object); !ok {
				return false
			}
		}
	}
	return true
}

package template

import (
	"fmt"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// Brought is the template that chat_template_kwargs bring, t where they bring none. The error is an *Error or a *jinja.SyntaxError.
func (t *Template) Brought(kwargs *pyjson.Object) (*Template, error) {
	switch source := kwargs.Value("chat_template").(type) {
	case nil:
		return t, nil
	case string:
		if source == Auto {
			return t, nil
		}
		return Compile(source)
	case []any, *pyjson.Object: // templates are looked up by their text
		return nil, &Error{fmt.Sprintf("unhashable type: '%s'", pyjson.TypeName(source))}
	}
	return nil, &Error{"Can't compile non template nodes"}
}

// misused refuses chat_template_kwargs that get into the way of transformers' own parameters, in Python's words and in those of
// transformers' apply_chat_template.
func misused(kwargs *pyjson.Object) error {
	for _, key := range []string{"conversation", "tokenizer"} {
		if _, given := kwargs.Get(key); given {
			return &Error{"safe_apply_chat_template() got multiple values for argument '" + key + "'"}
		}
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
	switch v := kwargs.Value(key).(type) {
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

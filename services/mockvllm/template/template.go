package template

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template/jinja"
)

// Format is how a template wants the content of messages (--chat-template-content-format).
type Format string

// Formats of content: one text, or a list of parts.
const (
	String Format = "string"
	OpenAI Format = "openai"
)

// Auto stands where a request could name a template, and names none.
const Auto = "auto"

// Template is a chat template. It is safe for concurrent use.
type Template struct {
	source    string
	tree      *jinja.Template
	format    Format
	developer bool // knows the role developer
	tiny      bool
}

//go:embed tiny.jinja
var tinySource string

// Tiny is the template of the reference tiny model.
var Tiny = sync.OnceValue(func() *Template {
	t, err := Compile(tinySource)
	if err != nil {
		panic(err) // BUG: the source is part of the program
	}
	return t
})

// Compile reads the source of a template. The error is a *jinja.SyntaxError.
func Compile(source string) (*Template, error) {
	tree, err := jinja.Parse(source)
	if err != nil {
		return nil, err
	}
	t := &Template{source: source, tree: tree, format: String, tiny: source == tinySource}
	if tree.LoopsOverContent() {
		t.format = OpenAI
	}
	t.developer = strings.Contains(source, `"developer"`) || strings.Contains(source, `'developer'`)
	return t, nil
}

// Source is the text that was compiled, "" without a template.
func (t *Template) Source() string {
	if t == nil {
		return ""
	}
	return t.source
}

// Format is the format of content that the template is detected to want.
func (t *Template) Format() Format {
	if t == nil {
		return String
	}
	return t.format
}

// Input is what a prompt is made of. Messages, Tools and Documents are only read.
type Input struct {
	Messages             []*pyjson.Object
	Tools                []any // nil for none
	Documents            []any
	AddGenerationPrompt  bool
	ContinueFinalMessage bool
	Kwargs               *pyjson.Object // chat_template_kwargs
	BOSToken, EOSToken   string         // "" for none
}

// Error is a request that a template cannot be applied to, in the words that vLLM answers with status 400.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

// Render writes the prompt; nil has none to write. The error is an *Error, a *jinja.Error (raise_exception among others), or jinja.ErrTooMuch.
func (t *Template) Render(in Input) (string, error) {
	if t == nil {
		return "", errNone
	}
	if err := misused(in.Kwargs); err != nil {
		return "", err
	}
	if !t.developer {
		in.Messages = developerToSystem(in.Messages)
	}
	if t.tiny && !in.ContinueFinalMessage && in.Kwargs.Len() == 0 {
		if text, ok := renderTiny(&in); ok {
			return text, nil
		}
	}
	if !in.ContinueFinalMessage {
		return t.tree.Render(in.vars())
	}
	return t.continued(in)
}

// vars are the variables of the template; later ones win.
func (in *Input) vars() *pyjson.Object {
	vars := &pyjson.Object{}
	if in.BOSToken != "" {
		vars.Set("bos_token", in.BOSToken)
	}
	if in.EOSToken != "" {
		vars.Set("eos_token", in.EOSToken)
	}
	for k, v := range in.Kwargs.All() {
		if !slices.Contains([]string{"add_generation_prompt", "continue_final_message", "chat_template", "tokenize"}, k) { // not theirs to say
			vars.Set(k, v)
		}
	}
	messages := make([]any, len(in.Messages))
	for i, m := range in.Messages {
		messages[i] = m
	}
	vars.Set("messages", messages)
	vars.Set("add_generation_prompt", in.AddGenerationPrompt)
	list := func(name string, items []any) {
		if items != nil {
			vars.Set(name, items)
		} else if _, ok := in.Kwargs.Get(name); !ok {
			vars.Set(name, nil)
		}
	}
	list("tools", in.Tools)
	list("documents", in.Documents)
	return vars
}

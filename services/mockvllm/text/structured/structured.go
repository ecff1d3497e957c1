package structured

import (
	"errors"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/guidance"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/outlines"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/schema"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/xgrammar"
)

// Kind is a kind of constraint, by the name of its field in structured_outputs.
type Kind string

// The kinds, and what their specification is.
const (
	JSON          Kind = "json"           // a JSON Schema
	JSONObject    Kind = "json_object"    // nothing
	Regex         Kind = "regex"          // a regular expression
	Choice        Kind = "choice"         // a JSON array of strings
	Grammar       Kind = "grammar"        // EBNF, or Lark
	StructuralTag Kind = "structural_tag" // JSON, of either form
)

// Source is what texts are made from.
type Source = grammar.Source

// Error is the message with which vLLM refuses a constraint: a BadRequestError, status 400, param null.
type Error string

func (e Error) Error() string { return string(e) }

// Constraint makes texts of a form. It can be used by several goroutines at once.
type Constraint struct {
	generate func(src Source) string

	// Second is true where vLLM turns to the second library because xgrammar does not take the constraint, or vLLM knows that it
	// would not follow all of it.
	Second bool
	// Fails is true where xgrammar does not take it: an engine that follows constraints with xgrammar fails.
	Fails bool
	// Void is true where vLLM takes the constraint and there is no text of it: an engine that follows constraints with xgrammar fails,
	// any other ends the answer at once.
	Void bool
}

// Generate makes a text, of no more than about 64 KB.
func (c *Constraint) Generate(src Source) string { return c.generate(src) }

// Compile reads a constraint. The error is an Error.
func Compile(kind Kind, spec string) (*Constraint, error) {
	if err := refuse(kind, spec); err != nil {
		return nil, err
	}
	c, err := compile(kind, spec)
	if errors.Is(err, grammar.ErrEndless) {
		return void(), nil
	}
	return c, err
}

func void() *Constraint { return &Constraint{generate: func(Source) string { return "" }, Void: true} }

func compile(kind Kind, spec string) (*Constraint, error) {
	switch kind {
	case JSON:
		return compileJSON(spec)
	case JSONObject:
		return compileObject()
	case Regex:
		return compileRegex(spec)
	case Choice:
		return compileChoice(spec)
	case Grammar:
		return compileGrammar(spec)
	case StructuralTag:
		return compileTag(spec)
	}
	return nil, Error("grammar is not of valid supported types. (" + string(kind) + ")")
}

// Tool makes arguments of a tool from its parameters; vLLM itself lets any JSON through unless the tool is strict. Parameters that make
// no sense or have no value are as none: those of a tool without arguments. The error, of values that are too large, is an Error.
func Tool(parameters string) (*Constraint, error) {
	s, err := compileOr(parameters, func() (*schema.Schema, error) { return schema.Compile(`{"type": "object"}`) })
	if err != nil {
		return nil, err
	}
	return &Constraint{generate: s.Generate}, nil
}

// compileOr compiles a schema, or what stands for one that makes no sense or has no value. The error is an Error.
func compileOr(spec string, instead func() (*schema.Schema, error)) (*schema.Schema, error) {
	s, err := schema.Compile(spec)
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, schema.ErrLarge):
		return nil, Error("Grammar error: " + err.Error())
	}
	if s, err = instead(); err != nil {
		return nil, Error(err.Error())
	}
	return s, nil
}

// Holds tells whether the library that holds calls of strict tools to their parameters can make a grammar of them. None are those of a
// tool without arguments.
func Holds(parameters any) bool {
	root, ok := parameters.(*pyjson.Object)
	if !ok {
		return true
	}
	takes, _ := xgrammar.Takes(root)
	return takes
}

func compileJSON(spec string) (*Constraint, error) {
	v, err := pyjson.DecodeString(spec)
	if err != nil {
		return nil, Error("Invalid JSON grammar specification.")
	}
	root, ok := v.(*pyjson.Object)
	if !ok {
		return nil, Error("Invalid grammar specification: Expecting object schema to apply options")
	}
	beyond := xgrammar.Beyond(root)
	takes, none := xgrammar.Takes(root)
	if err := secondFault(spec, root, beyond || !takes); err != nil {
		return nil, err
	}
	switch {
	case none && !beyond:
		return void(), nil
	case xgrammar.Empty(root) && !beyond:
		return &Constraint{generate: func(Source) string { return "" }}, nil
	}
	s, err := schema.Compile(spec)
	switch {
	case err == nil:
	case errors.Is(err, schema.ErrLarge):
		return nil, Error("Grammar error: " + err.Error())
	case errors.Is(err, schema.ErrNone) && (!takes || beyond) && !outlines.Asked(root):
		return nil, Error("Grammar error: Unsatisfiable schema: " + err.Error())
	default: // what xgrammar reads over, and what vLLM reads and the validator does not
		s, err = loose(root)
	}
	if err != nil {
		return nil, Error(err.Error())
	}
	return &Constraint{generate: s.Generate, Second: beyond || !takes, Fails: !takes}, nil
}

// secondFault is what the library says that vLLM turns to where xgrammar does not take a schema, and it takes none whose text is no JSON.
func secondFault(spec string, root *pyjson.Object, asked bool) error {
	unread := guidance.TextFault(spec)
	switch {
	case unread == "" && !asked:
	case outlines.Asked(root):
		if unread != "" {
			return Error(outlines.NotJSON)
		}
		if what := outlines.SchemaFault(root); what != "" {
			return Error(what)
		}
	case unread != "":
		return Error("Invalid grammar specification: " + unread)
	default:
		if what := guidance.SchemaFault(root); what != "" {
			return Error("Grammar error: " + what)
		}
	}
	return nil
}

// loose makes values of a schema of which no more than the type can be held.
func loose(root *pyjson.Object) (*schema.Schema, error) {
	if kind, ok := root.Get("type"); ok {
		if s, err := schema.Compile(pyjson.DumpsUnicode(pyjson.NewObject(pyjson.Member{Key: "type", Value: kind}))); err == nil {
			return s, nil
		}
	}
	return schema.Compile("{}")
}

// compileObject makes any object; guided, one that quotes what was asked, else often one that ends as soon as it has begun.
func compileObject() (*Constraint, error) {
	s, err := schema.Compile(`{"type": "object", "minProperties": 1, "maxProperties": 4}`)
	if err != nil {
		return nil, Error(err.Error())
	}
	return &Constraint{generate: func(src Source) string {
		switch {
		case !src.Guide && src.Rand.IntN(3) < 2:
			return "{}"
		case !src.Guide:
			return s.Generate(src)
		}
		asked := []rune(src.Asked)
		return pyjson.DumpsUnicode(pyjson.NewObject(pyjson.Member{Key: "response", Value: string(asked[:min(len(asked), longestQuote)])}))
	}}, nil
}

// longestQuote is how many characters of a question are quoted.
const longestQuote = 50

func compileChoice(spec string) (*Constraint, error) {
	v, err := pyjson.DecodeString(spec)
	choices, ok := v.([]any)
	if err != nil || !ok {
		return nil, Error("Failed to transform choices into a grammar: " + spec)
	}
	texts := make([]string, len(choices))
	for i, c := range choices {
		if texts[i], ok = c.(string); !ok {
			return nil, Error("Failed to transform choices into a grammar: " + spec)
		}
	}
	return &Constraint{generate: func(src Source) string {
		if !src.Guide {
			return texts[src.Rand.IntN(len(texts))]
		}
		for _, t := range texts {
			if src.Mentions(t) {
				return t
			}
		}
		return texts[0]
	}}, nil
}

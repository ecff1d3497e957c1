package schema

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar"
)

// Source is what values are made from.
type Source = grammar.Source

// ErrSchema marks a text that is no JSON Schema (draft 2020-12, or the one that it names).
var ErrSchema = errors.New("not a JSON Schema")

// ErrNone is the error of a schema for which no value was found, ErrLarge that of one whose values are larger than those made here.
var (
	ErrNone  = errors.New("no value found for the schema")
	ErrLarge = fmt.Errorf("values of the schema have more than %d items or members, or more than %d bytes", maxItems, maxValue)
)

// Schema makes values. It can be used by several goroutines at once.
type Schema struct {
	root      any
	validator *jsonschema.Schema
	spare     string // a value
}

// maxValue is how many bytes a value may have, maxSteps how many parts of values are tried for one, tries how many values.
const (
	maxValue = grammar.MaxText
	maxSteps = 20000
	tries    = 40
)

// Compile reads a schema, and finds one value of it.
func Compile(text string) (*Schema, error) {
	root, err := pyjson.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	o, _ := root.(*pyjson.Object)
	root = tidy(root, o.Value("$schema") == nil)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(pyjson.DumpsUnicode(root)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(noLoader{})
	const here = "mem:///schema.json"
	if err := c.AddResource(here, doc); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	validator, err := c.Compile(here)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	s := &Schema{root: root, validator: validator}
	for _, guide := range []bool{true, false} {
		src := Source{Rand: rand.New(rand.NewPCG(1, 1)), Guide: guide}
		if s.spare, err = s.find(src); err == nil {
			return s, nil
		}
	}
	return nil, err
}

// noLoader: a schema of a request names no other document.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) { return nil, fmt.Errorf("%s is not loaded", url) }

// Generate makes a value, as JSON with Python's spaces.
func (s *Schema) Generate(src Source) string {
	if text, err := s.find(src); err == nil {
		return text
	}
	return s.spare
}

func (s *Schema) find(src Source) (string, error) {
	steps := maxSteps * 4 // for all tries
	none := ErrNone
	for try := range tries {
		m := &maker{root: s.root, src: src, try: try, steps: min(maxSteps, steps)}
		before := m.steps
		v, ok := m.value([]any{s.root}, 0, 0)
		if steps -= before - m.steps; steps <= 0 {
			break
		}
		if m.large {
			none = ErrLarge
		}
		if !ok {
			continue
		}
		text := pyjson.DumpsUnicode(v)
		if len(text) > maxValue {
			none = ErrLarge
			continue
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err == nil && s.validator.Validate(doc) == nil {
			return text, nil
		}
	}
	return "", none
}

// maker makes the parts of one value.
type maker struct {
	root  any
	src   Source
	try   int  // how often it was tried before
	steps int  // left
	large bool // more was asked for than is made
}

// coin is a random yes or no; guided values say yes at the first try.
func (m *maker) coin() bool {
	if m.src.Guide && m.try == 0 {
		return true
	}
	return m.src.Rand.IntN(2) == 0
}

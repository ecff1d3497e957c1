package toolparser

import (
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser/partialjson"
)

// llamaTag may stand before the calls.
const llamaTag = "<|python_tag|>"

// llama is {"name": ..., "parameters": {...}}; {...}. vLLM 0.32 sends the same arguments in other pieces, cut where JSON that it
// completes by itself stays the same.
var llama = Format{
	write: func(calls []Call) string {
		return strings.ReplaceAll(listed(calls, "; "), `, "arguments": {`, `, "parameters": {`)
	},
	parse:  parseLlama,
	stream: func(tools []Tool) Stream { return &llamaStream{tools: tools} },
}

// parseLlama reads every object of a text as a call; one that is none makes all of it content. Words are lost.
func parseLlama(text string, _ []Tool) (string, []Call) {
	var calls []Call
	for rest := text; ; {
		at := strings.IndexByte(rest, '{')
		if at < 0 {
			break
		}
		v, n, err := pyjson.DecodePrefix(rest[at:])
		o, isObject := v.(*pyjson.Object)
		call, ok := llamaCall(o)
		if err != nil || !isObject || !ok {
			return text, nil
		}
		calls = append(calls, call)
		rest = rest[at+n:]
	}
	if len(calls) == 0 {
		return text, nil
	}
	return "", calls
}

func llamaCall(o *pyjson.Object) (Call, bool) {
	name, ok := o.Value("name").(string)
	arguments, has := o.Get("arguments")
	if !has {
		arguments, has = o.Get("parameters")
	}
	return Call{Name: name, Arguments: pyjson.DumpsUnicode(arguments)}, ok && has
}

var llamaCalls = &syntax{list: true, convert: func(raw string, partial bool) (string, bool) {
	if value, ok := partialjson.Member(raw, "parameters"); ok {
		return value, true
	}
	return listedArguments(raw, partial)
}}

// llamaStream decides by how a text begins: then all of it is calls, or all of it words.
type llamaStream struct {
	tools []Tool
	held  string
	words bool
	calls *engineStream
}

func (s *llamaStream) Feed(piece string) (Delta, bool) {
	if s.calls == nil && !s.words {
		s.held += piece
		if strings.HasPrefix(llamaTag, s.held) {
			return Delta{}, false
		}
		piece = s.held
		if rest := strings.TrimPrefix(piece, llamaTag); rest != piece || strings.HasPrefix(piece, "{") {
			s.calls = &engineStream{engine: newEngine(llamaCalls), tools: s.tools}
			s.calls.engine.state, s.calls.engine.list.begun = inArguments, true
			piece = rest
		} else {
			s.words = true
		}
	}
	if s.words {
		return Delta{Content: piece}, piece != ""
	}
	d, _ := s.calls.Feed(piece)
	d.Content = "" // what is no call is lost
	return d, len(d.Calls) > 0
}

// Finish: a call that was cut stays as it is.
func (s *llamaStream) Finish() (Delta, bool) { return Delta{}, false }

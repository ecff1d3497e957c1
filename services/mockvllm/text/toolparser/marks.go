package toolparser

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser/partialjson"
)

// Marks of reasoning are text here, but what may be their beginning is held back, as vLLM's engine does.
const (
	think    = "<think>"
	thinkEnd = "</think>"
)

// kimiK2 is <|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{...}<|tool_call_end|>...
// What follows the section is dropped.
var kimiK2 = (&syntax{
	marks: []string{kimiSection, kimiSectionEnd, kimiCall, kimiCallEnd, kimiArguments, think, thinkEnd},
	moves: map[state]map[string]move{
		inWords:     {kimiSection: {to: inPreamble}},
		inPreamble:  {kimiCall: {inName, begins}, kimiSectionEnd: {to: inPreamble}},
		inName:      {kimiArguments: {to: inArguments}},
		inArguments: {kimiCallEnd: {inBetween, ends}, kimiSectionEnd: {inPreamble, ends}},
		inBetween:   {kimiCall: {inName, begins}, kimiSectionEnd: {to: inPreamble}},
	},
	header: func(text string) (id, name string, ok bool) {
		m := kimiID.FindStringSubmatch(strings.TrimFunc(text, isSpace))
		if m == nil {
			return "", "", false
		}
		name, _, _ = strings.Cut(m[1], ":")
		name = strings.TrimPrefix(name, "functions.")
		return strings.TrimFunc(m[1], isSpace), name, name != ""
	},
	keepSpace: true, firstArguments: true,
}).format(func(calls []Call) string {
	text := kimiSection
	for i, c := range calls {
		text += fmt.Sprintf("%sfunctions.%s:%d%s%s%s", kimiCall, c.Name, i, kimiArguments, c.Arguments, kimiCallEnd)
	}
	return text + kimiSectionEnd
})

const (
	kimiSection    = "<|tool_calls_section_begin|>"
	kimiSectionEnd = "<|tool_calls_section_end|>"
	kimiCall       = "<|tool_call_begin|>"
	kimiCallEnd    = "<|tool_call_end|>"
	kimiArguments  = "<|tool_call_argument_begin|>"
)

var kimiID = regexp.MustCompile(`^(.+:\d+)`)

// mistral is [TOOL_CALLS]f[ARGS]{...}[TOOL_CALLS]g[ARGS]{...}, of tokenizers from version 11 on; [ARGS] may be missing.
var mistral = (&syntax{
	marks: []string{"[TOOL_CALLS]", "[ARGS]", "{"},
	moves: map[state]map[string]move{
		inWords:     {"[TOOL_CALLS]": {inName, begins}},
		inName:      {"[ARGS]": {to: inArguments}, "{": {inArguments, arguments}},
		inArguments: {"[TOOL_CALLS]": {inName, ends | begins}},
	},
	header:         func(text string) (id, name string, ok bool) { return mistralID(), text, true },
	firstArguments: true, oneValue: true,
}).format(func(calls []Call) string {
	text := ""
	for _, c := range calls {
		text += "[TOOL_CALLS]" + c.Name + "[ARGS]" + c.Arguments
	}
	return text
})

// mistralID makes an id as Mistral's templates want it: nine letters and digits (MistralToolCall of vllm/parser/mistral.py).
func mistralID() string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	id := make([]byte, 9)
	for i := range id {
		id[i] = letters[rand.IntN(len(letters))]
	}
	return string(id)
}

// deepseekV3 puts the type and the name of a call before its arguments, which stand in a fenced block. vLLM 0.32 reads it with code
// of its own that needs each mark to be one token, and that sends the same arguments in other pieces.
var deepseekV3 = func() Format {
	f := (&syntax{
		marks: []string{dsCalls, dsCallsEnd, dsCall, dsName, dsFence, dsCallEnd},
		moves: map[state]map[string]move{
			inWords:     {dsCalls: {to: inPreamble}},
			inPreamble:  {dsCall: {to: inPreamble}, dsName: {inName, begins}, dsCallsEnd: {to: inBetween}},
			inName:      {dsFence: {to: inArguments}},
			inArguments: {dsCallEnd: {inPreamble, ends}},
		},
		keepSpace: true, firstArguments: true, verbatim: true,
	}).format(func(calls []Call) string {
		text := dsCalls
		for i, c := range calls {
			if i > 0 {
				text += "\n"
			}
			text += dsCall + "function" + dsName + c.Name + dsFence + c.Arguments + dsCallEnd
		}
		return text + dsCallsEnd
	})
	f.LeavesContentOut = false
	return f
}()

const (
	dsCalls    = "<｜tool▁calls▁begin｜>"
	dsCallsEnd = "<｜tool▁calls▁end｜>"
	dsCall     = "<｜tool▁call▁begin｜>"
	dsName     = "<｜tool▁sep｜>"
	dsFence    = "\n```json\n"
	dsCallEnd  = "\n```<｜tool▁call▁end｜>"
)

// granite is <tool_call>[{"name": ..., "arguments": {...}}, ...], or with <|tool_call|>.
var granite = (&syntax{
	marks: []string{"<|tool_call|>", "<tool_call>"},
	moves: map[state]map[string]move{
		inWords: {"<|tool_call|>": {to: inArguments}, "<tool_call>": {to: inArguments}},
	},
	list:    true,
	convert: listedArguments,
}).format(func(calls []Call) string { return "<tool_call>[" + listed(calls, ", ") + "]" })

func listedArguments(raw string, partial bool) (string, bool) {
	value, ok := partialjson.Member(raw, "arguments")
	switch {
	case ok:
		return value, true
	case value != "": // it is no object
		return "", false
	case partial:
		return "", true
	}
	return "{}", true
}

func listed(calls []Call, between string) string {
	parts := make([]string, len(calls))
	for i, c := range calls {
		parts[i] = `{"name": ` + pyjson.DumpsUnicode(c.Name) + `, "arguments": ` + c.Arguments + "}"
	}
	return strings.Join(parts, between)
}

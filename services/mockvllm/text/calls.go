package text

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Call is one call of a tool.
type Call struct {
	Name      string
	Arguments string // JSON
}

// A model writes its calls into its text in the form that --tool-call-parser hermes reads.
const (
	callOpen  = "<tool_call>"
	callClose = "</tool_call>"
)

// Markup is how a model writes calls.
func Markup(calls []Call) string {
	var b strings.Builder
	for i, c := range calls {
		if i > 0 {
			b.WriteByte('\n')
		}
		name, err := json.Marshal(c.Name)
		if err != nil { // strings always marshal
			panic(err)
		}
		b.WriteString(callOpen + `{"name": ` + string(name) + `, "arguments": ` + c.Arguments + "}" + callClose)
	}
	return b.String()
}

// ReadCalls takes a whole text apart. A call that was cut or is none makes all of it words, as in vLLM; one that lacks no more than
// its end mark counts. Words after the first call are lost.
func ReadCalls(text string) (words string, calls []Call) {
	words, rest, found := strings.Cut(text, callOpen)
	for found {
		var block string
		block, rest, _ = strings.Cut(rest, callClose)
		var call struct {
			Name      *string
			Arguments json.RawMessage
		}
		if json.Unmarshal([]byte(block), &call) != nil || call.Name == nil || !bytes.HasPrefix(call.Arguments, []byte("{")) {
			return text, nil
		}
		calls = append(calls, Call{*call.Name, string(call.Arguments)})
		_, rest, found = strings.Cut(rest, callOpen)
	}
	return words, calls
}

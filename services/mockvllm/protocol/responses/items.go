package responses

import (
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// item is one of a response's outputs: "reasoning", "message", "function_call" or "custom_tool_call".
type item struct {
	kind     string
	id       string
	callID   string
	name     string                // of a called function
	space    string                // the namespace that the function is in, "" for none
	text     []byte                // what it says, or a call's arguments
	likely   []generation.Position // of a message's tokens
	streamed bool                  // items of a stream end with a status where those of a whole response have none
}

// newItem makes an item with an id.
func newItem(kind string) *item {
	prefix := map[string]string{"reasoning": "rs_", "message": "msg_", "function_call": "fc_", "custom_tool_call": "ctc_"}[kind]
	return &item{kind: kind, id: prefix + protocol.NewID()}
}

// newCall makes the item of a call: of a custom tool, of a function, or of one in a namespace, which goes by its own name.
func (r *Request) newCall(id, name string) *item {
	it := newItem("function_call")
	for _, tool := range request.List(r.v, "tools") {
		tool := protocol.Members(tool)
		own, _ := tool("name").(string)
		switch tool("type") {
		case "custom":
			if own == name {
				it = newItem("custom_tool_call")
			}
		case "namespace":
			if local, inside := strings.CutPrefix(name, flatName(own, "")); inside && it.space == "" {
				it.space, name = own, local
			}
		}
	}
	if it.name, it.callID = name, id; id == "" {
		it.callID = protocol.NewCallID()
	}
	return it
}

// append writes an item that is whole.
func (it *item) append(b []byte, r *Request) []byte {
	switch it.kind {
	case "reasoning":
		b = append(b, `{"id":"`+it.id+`","summary":[],"type":"reasoning","content":[{"text":`...)
		b = append(pyjson.AppendString(b, string(it.text)), `,"type":"reasoning_text"}],"encrypted_content":null,"status":`...)
		if it.streamed {
			return append(b, `"completed"}`...)
		}
		return append(b, "null}"...)
	case "message":
		b = append(b, `{"id":"`+it.id+`","content":[`...)
		if len(it.text) > 0 {
			b = it.appendPart(b, r)
		}
		return append(b, `],"role":"assistant","status":"completed","type":"message","phase":null}`...)
	case "custom_tool_call":
		return it.appendCustom(b, customInput(it.text))
	}
	return it.appendCall(b, string(it.text), "completed")
}

// appendPart writes the text of a message.
func (it *item) appendPart(b []byte, r *Request) []byte {
	b = pyjson.AppendString(append(b, `{"annotations":[],"text":`...), string(it.text))
	b = append(b, `,"type":"output_text","logprobs":`...)
	if !r.logprobs {
		return append(b, "null}"...)
	}
	return append(r.appendLogprobs(b, it.likely, true), '}')
}

func (it *item) appendCall(b []byte, arguments, status string) []byte {
	b = pyjson.AppendString(append(b, `{"arguments":`...), arguments)
	b = pyjson.AppendString(append(b, `,"call_id":`...), it.callID)
	b = pyjson.AppendString(append(b, `,"name":`...), it.name)
	b = append(b, `,"type":"function_call","id":"`+it.id+`","async":null,"caller":null,"namespace":`...)
	if it.space == "" {
		b = append(b, "null"...)
	} else {
		b = pyjson.AppendString(b, it.space)
	}
	return append(b, `,"status":"`+status+`"}`...)
}

func (it *item) appendCustom(b []byte, input string) []byte {
	b = pyjson.AppendString(append(b, `{"call_id":`...), it.callID)
	b = pyjson.AppendString(append(b, `,"input":`...), input)
	b = pyjson.AppendString(append(b, `,"name":`...), it.name)
	return append(b, `,"type":"custom_tool_call","id":"`+it.id+`","async":null,"caller":null,"namespace":null}`...)
}

// customInput is the text in the arguments of the function that stands for a custom tool, or what they are when they hold none.
func customInput(arguments []byte) string {
	parsed, err := pyjson.Decode(arguments)
	if o, ok := parsed.(*pyjson.Object); err == nil && ok {
		if input, isText := o.Value("input").(string); isText {
			return input
		}
	}
	return string(arguments)
}

// appendBegun writes an item of which nothing is said yet.
func (it *item) appendBegun(b []byte) []byte {
	switch it.kind {
	case "reasoning":
		return append(b, `{"id":"`+it.id+`","summary":[],"type":"reasoning","content":null,"encrypted_content":null,"status":"in_progress"}`...)
	case "message":
		return append(b, `{"id":"`+it.id+`","content":[],"role":"assistant","status":"in_progress","type":"message","phase":null}`...)
	case "custom_tool_call":
		return it.appendCustom(b, "")
	}
	return it.appendCall(b, "", "in_progress")
}

// appendLogprobs writes likelihoods, those of a whole text with the bytes of tokens.
func (r *Request) appendLogprobs(b []byte, all []generation.Position, withBytes bool) []byte {
	b = append(b, '[')
	for i, position := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(r.appendLikelihood(b, position[0], withBytes), `,"top_logprobs":[`...)
		n := len(position)
		if r.Params.Logprobs != nil && *r.Params.Logprobs >= 0 {
			n = min(n, int(*r.Params.Logprobs))
		}
		for j, other := range position[:n] {
			if j > 0 {
				b = append(b, ',')
			}
			b = append(r.appendLikelihood(b, other, withBytes), '}')
		}
		b = append(b, "]}"...)
	}
	return append(b, ']')
}

// appendLikelihood leaves the object open.
func (r *Request) appendLikelihood(b []byte, l generation.Likelihood, withBytes bool) []byte {
	b = pyjson.AppendString(append(b, `{"token":`...), l.Text)
	if withBytes {
		b = append(b, `,"bytes":[`...)
		for i := range len(l.Text) {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(l.Text[i]), 10)
		}
		b = append(b, ']')
	}
	return protocol.AppendFloat(append(b, `,"logprob":`...), l.Logprob)
}

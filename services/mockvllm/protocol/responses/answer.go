package responses

import (
	"slices"
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// AppendBody writes a whole response.
func (r *Request) AppendBody(b []byte, h protocol.Head, outs []*generation.Output, u protocol.Usage, t *protocol.Timing) []byte {
	o := outs[0]
	said := r.Parse(o)
	var items []*item
	if said.Reasoning != nil && *said.Reasoning != "" && !r.hide {
		it := newItem("reasoning")
		it.text = []byte(*said.Reasoning)
		items = append(items, it)
	}
	if said.Content != nil && *said.Content != "" {
		it := newItem("message")
		it.text, it.likely = []byte(*said.Content), o.Logprobs
		items = append(items, it)
	}
	for i, c := range said.Calls {
		if i > 0 && !r.Talk.Tools.Parallel {
			break
		}
		it := r.newCall(c.ID, c.Name)
		it.text = []byte(c.Arguments)
		items = append(items, it)
	}
	if items == nil && !r.Parses() {
		items = []*item{newItem("message")}
	}
	u.Reasoning = &said.ReasoningTokens
	r.raw = raw{text: []byte(o.Text), tokens: slices.Clone(o.Tokens)}
	r.keep(items, r.appendResponse(nil, h, items, statusOf(o.Finish), &u, t))
	return append(b, r.whole...)
}

// statusOf is what became of a response. One that the server broke off was cancelled.
func statusOf(finish string) string {
	switch finish {
	case generation.FinishLength:
		return "incomplete"
	case generation.FinishAbort:
		return "cancelled"
	}
	return "completed"
}

// appendResponse writes the response object, with nil usage one that goes on.
func (r *Request) appendResponse(b []byte, h protocol.Head, items []*item, status string, u *protocol.Usage, t *protocol.Timing) []byte {
	b = pyjson.AppendString(append(b, `{"id":`...), h.ID)
	b = strconv.AppendInt(append(b, `,"created_at":`...), h.Created, 10)
	b = append(b, `,"incomplete_details":`...)
	if status == "incomplete" {
		b = append(b, `{"reason":"max_output_tokens"}`...)
	} else {
		b = append(b, "null"...)
	}
	b = r.copy(b, "instructions", "metadata")
	b = pyjson.AppendString(append(b, `,"model":`...), h.Model)
	b = append(b, `,"object":"response","output":[`...)
	for i, it := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = it.append(b, r)
	}
	b = strconv.AppendBool(append(b, `],"parallel_tool_calls":`...), r.Talk.Tools.Parallel)
	b = protocol.AppendFloat(append(b, `,"temperature":`...), r.Params.Temperature)
	b = r.copy(b, "tool_choice", "tools")
	b = protocol.AppendFloat(append(b, `,"top_p":`...), r.topP())
	b = r.copy(b, "background")
	b = strconv.AppendInt(append(b, `,"max_output_tokens":`...), r.Params.MaxTokens, 10)
	b = r.copy(b, "max_tool_calls", "previous_response_id", "prompt", "reasoning", "service_tier")
	b = append(b, `,"status":"`+status+`"`...)
	if r.Talk.Tools.Tagged() {
		b = append(b, `,"text":null`...)
	} else {
		b = r.copy(b, "text")
	}
	b = append(b, `,"top_logprobs":`...)
	if r.Params.Logprobs == nil {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, *r.Params.Logprobs, 10)
	}
	b = r.copy(b, "truncation")
	b = r.appendUsage(append(b, `,"usage":`...), u)
	b = r.copy(b, "user")
	if t != nil {
		b = t.Append(append(b, `,"metrics":`...), false)
	}
	b = protocol.AppendFloat(append(b, `,"presence_penalty":`...), r.Params.PresencePenalty)
	b = protocol.AppendFloat(append(b, `,"frequency_penalty":`...), r.Params.FrequencyPenalty)
	b = append(b, `,"kv_transfer_params":null,"ec_transfer_params":null,"input_messages":`...)
	if u == nil || !r.v.Bool("enable_response_messages") {
		return append(b, `null,"output_messages":null}`...)
	}
	prompt := r.Work.Prompt
	b = raw{text: []byte(prompt.Text), tokens: prompt.Tokens}.append(b)
	return append(r.raw.append(append(b, `,"output_messages":`...)), '}')
}

// raw is a text as the model reads or writes it, where a client asks to see that.
type raw struct {
	text   []byte
	tokens []int
}

// append writes a list of one message, or of none when there is nothing in it.
func (m raw) append(b []byte) []byte {
	if len(m.text) == 0 && len(m.tokens) == 0 {
		return append(b, "[]"...)
	}
	b = pyjson.AppendString(append(b, `[{"message":`...), string(m.text))
	b = protocol.AppendInts(append(b, `,"tokens":`...), m.tokens)
	return append(b, `,"type":"raw_message_tokens"}]`...)
}

// topP is the one that counts: a greedy answer takes all tokens into account.
func (r *Request) topP() float64 {
	if r.Params.Greedy() {
		return 1
	}
	return r.Params.TopP
}

// copy writes members as the request has them, in the form that the schema gave them.
func (r *Request) copy(b []byte, names ...string) []byte {
	for _, name := range names {
		b = append(b, `,"`+name+`":`...)
		b = pyjson.AppendJSON(b, schema.Dumped(r.v.Get(name)), pyjson.Format{Compact: true})
	}
	return b
}

func (r *Request) appendUsage(b []byte, u *protocol.Usage) []byte {
	if u == nil {
		return append(b, "null"...)
	}
	b = strconv.AppendInt(append(b, `{"input_tokens":`...), int64(u.Prompt), 10)
	b = strconv.AppendInt(append(b, `,"input_tokens_details":{"cached_tokens":`...), int64(u.Cached), 10)
	b = append(b, `,"cache_write_tokens":0,"input_tokens_per_turn":[],"cached_tokens_per_turn":[]},"output_tokens":`...)
	b = strconv.AppendInt(b, int64(u.Completion), 10)
	b = append(b, `,"output_tokens_details":{"reasoning_tokens":`...)
	if u.Reasoning == nil {
		b = append(b, '0')
	} else {
		b = strconv.AppendInt(b, int64(*u.Reasoning), 10)
	}
	b = append(b, `,"tool_output_tokens":0,"output_tokens_per_turn":[],"tool_output_tokens_per_turn":[]},"total_tokens":`...)
	return append(strconv.AppendInt(b, int64(u.Prompt+u.Completion), 10), '}')
}

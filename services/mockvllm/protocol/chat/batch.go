package chat

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Batch is a request with several conversations, each of which gets one choice.
type Batch struct {
	request.Common
	v      *schema.Values
	server *request.Model
	turns  []*Request
	last   bool // a streamed one is answered whole, with the last token of each choice
}

// ReadBatch takes a request apart that the schema has accepted.
func ReadBatch(v *schema.Values, m *request.Model) *Batch {
	b := &Batch{Common: request.ReadCommon(v, m), v: v, server: m}
	b.N = 1
	return b
}

// Works makes a chat request of each conversation and of what all of them share, as vLLM does: fields that only chat
// requests have count too. Tools are not shown to the model.
func (b *Batch) Works() (all []*generation.Work, err *protocol.Error) {
	shared := b.v.Dump()
	shared.Delete("messages")
	for _, m := range shared.Clone().Members() {
		if m.Value == nil {
			shared.Delete(m.Key)
		}
	}
	for i, messages := range request.List(b.v, "messages") {
		r, err := b.turn(shared, messages)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			b.last, shared = r.Stream, pyjson.NewObject() // what all share was looked at
		} else {
			one := *b.turns[0]
			one.Talk.Messages, one.Work = r.Talk.Messages, nil
			r = &one
		}
		b.turns = append(b.turns, r)
		works, err := r.Works()
		if err != nil {
			return nil, err
		}
		all = append(all, works...)
	}
	return all, nil
}

func (b *Batch) turn(shared *pyjson.Object, messages any) (*Request, *protocol.Error) {
	one := shared.Clone()
	one.Set("messages", unread(messages))
	doc, failed := pyjson.DecodeString(pyjson.Dumps(one))
	if failed != nil {
		return nil, protocol.BadRequest("%s", failed)
	}
	v, failed := schema.Validate("ChatCompletionRequest", doc)
	if failed != nil {
		return nil, protocol.Refused(failed)
	}
	r := Read(v, b.server)
	r.Talk.Tools = request.Tools{}
	return r, nil
}

// unread turns what the schema left to be validated back into what it was.
func unread(messages any) any {
	list, _ := messages.([]any)
	all := make([]any, len(list))
	for i, message := range list {
		all[i] = schema.Dumped(message)
		o, ok := all[i].(*pyjson.Object)
		if !ok {
			continue
		}
		o = o.Clone()
		for _, m := range o.Members() {
			o.Set(m.Key, schema.Dumped(m.Value))
		}
		all[i] = o
	}
	return all
}

// AppendBody writes the whole answer.
func (b *Batch) AppendBody(out []byte, h protocol.Head, outs []*generation.Output, u protocol.Usage, _ *protocol.Timing) []byte {
	out = pyjson.AppendString(append(out, `{"id":`...), h.ID)
	out = strconv.AppendInt(append(out, `,"object":"chat.completion","created":`...), h.Created, 10)
	out = pyjson.AppendString(append(out, `,"model":`...), h.Model)
	out = append(out, `,"choices":[`...)
	u.Completion, u.Details = 0, nil
	for i, o := range outs {
		if b.last {
			o = ending(b.turns[i].Work.Answers[0], o)
		}
		if i > 0 {
			out = append(out, ',')
		}
		out, _ = b.turns[i].appendChoice(out, i, o)
		u.Completion += len(o.Tokens)
	}
	out = h.AppendFingerprint(append(out, `],"service_tier":null,"system_fingerprint":`...))
	out = u.Append(append(out, `,"usage":`...))
	return append(out, `,"prompt_logprobs":null,"prompt_token_ids":null,"prompt_text":null,"kv_transfer_params":null,"ec_transfer_params":null,"metrics":null}`...)
}

// ending is what the last token adds to an answer.
func ending(a *generation.Answer, whole *generation.Output) *generation.Output {
	r := a.Read()
	n := len(whole.Tokens)
	r.Next(max(0, n-1), false)
	return r.Next(n, true)
}

// Frames is never asked for: Stream is not set, whatever the request says.
func (b *Batch) Frames(protocol.Head, func(frame []byte)) request.Frames { return nil }

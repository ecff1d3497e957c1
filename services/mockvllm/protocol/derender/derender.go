package derender

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// words is what a derender request has, whatever its interface.
type words struct {
	v     *schema.Values
	h     protocol.Head
	model *request.Model
	asked *schema.Values // the request that was rendered; nil when the client does not tell it
}

// hides tells whether special tokens have no text. A parser wants to see them.
func (d *words) hides() bool {
	if d.asked == nil {
		return true
	}
	return d.asked.Bool("skip_special_tokens")
}

// parses tells whether the server takes answers apart.
func (d *words) parses() bool { return d.model.Reasoning != "" || d.model.Tools != "" }

// Chat makes a chat completion of tokens, or the next chunk of one.
func Chat(v *schema.Values, h protocol.Head, m *request.Model) ([]byte, *protocol.Error) {
	d := &words{v, h, m, v.Values("chat_request")}
	streamed := v.Model() == "DerenderChatStreamRequest"
	from := v.Values("generate_response")
	if !streamed {
		if err := bounds(m, from); err != nil {
			return nil, err
		}
		if err := d.promptFits(v.Get("prompt_token_ids")); err != nil {
			return nil, err
		}
	}
	if d.parses() && d.asked == nil {
		return nil, protocol.BadRequest("chat_request is required when a tool or reasoning parser is configured because plain detokenization " +
			"would leak raw parser markup into content.")
	}
	if streamed {
		return d.chatChunk(v.Values("generate_chunk"))
	}
	b := appendHead(nil, v, from, "chat.completion", h)
	completion := 0
	for i, one := range request.List(from, "choices") {
		choice, _ := one.(*schema.Values)
		ids := protocol.Int64s(choice.Get("token_ids"))
		if len(ids) == 0 {
			return nil, protocol.BadRequest("choice %s has empty or null token_ids", pyjson.Str(choice.Get("index")))
		}
		completion += len(ids)
		if i > 0 {
			b = append(b, ',')
		}
		b = d.appendChat(b, choice, ids, promptOf(v.Get("prompt_token_ids"), from))
	}
	prompt, _ := v.Int("prompt_tokens")
	b = append(b, `],"service_tier":null,"system_fingerprint":null,"usage":`...)
	b = protocol.Usage{Prompt: int(prompt), Completion: completion}.Append(b)
	b = appendPromptWords(append(b, `,"prompt_logprobs":`...), from)
	b = append(b, `,"prompt_token_ids":null,"prompt_text":null,"kv_transfer_params":`...)
	b = protocol.AppendJSON(b, from.Get("kv_transfer_params"))
	b = protocol.AppendJSON(append(b, `,"ec_transfer_params":null,"metrics":`...), from.Get("metrics"))
	return append(b, '}'), nil
}

// appendChat writes a choice of a chat completion.
func (d *words) appendChat(b []byte, choice *schema.Values, ids, prompt []int64) []byte {
	w := newWindow(d.model.Tokenizer, prompt, d.hides() && !d.parses())
	text := w.add(ids)
	said := request.Said{Content: &text}
	if d.parses() {
		said = d.turn(prompt).Parse(&generation.Output{Text: text, Tokens: small(ids)})
	}
	b = protocol.AppendJSON(append(b, `{"index":`...), choice.Get("index"))
	b = d.appendMessage(append(b, `,"message":`...), said)
	words, told := restore(choice, d.model.Tokenizer, nil)
	b = appendChatWords(append(b, `,"logprobs":`...), words, told)
	b = appendReasons(b, choice.Get("finish_reason"), choice)
	b = d.appendIDs(b, ids)
	return append(b, `,"routed_experts":null}`...)
}

// appendIDs writes the tokens of a choice, where the client wanted them.
func (d *words) appendIDs(b []byte, ids []int64) []byte {
	b = append(b, `,"token_ids":`...)
	if d.asked == nil || !d.asked.Bool("return_token_ids") || d.parses() && !d.asked.Bool("include_reasoning") {
		return append(b, "null"...)
	}
	return protocol.AppendJSON(b, protocol.Items(ids))
}

func (d *words) appendMessage(b []byte, said request.Said) []byte {
	content, reasoning := said.Content, said.Reasoning
	tools := request.Tools{}
	if d.parses() {
		tools = request.ReadConversation(d.asked).Tools
		if !d.asked.Bool("include_reasoning") {
			reasoning = nil
		}
	}
	if content == nil && tools.Forced() {
		content = new(string)
	}
	b = protocol.AppendText(append(b, `{"role":"assistant","content":`...), content)
	b = append(b, `,"refusal":null,"annotations":null,"audio":null,"function_call":null`...)
	for i, c := range said.Calls {
		if i == 0 {
			b = append(b, `,"tool_calls":[`...)
		} else {
			b = append(b, ',')
		}
		b = append(b, `{"id":"`+protocol.NewID()+`","type":"function","function":{"name":`...)
		b = pyjson.AppendString(b, c.Name)
		b = pyjson.AppendString(append(b, `,"arguments":`...), c.Arguments)
		b = append(b, "}}"...)
	}
	if len(said.Calls) > 0 {
		b = append(b, ']')
	}
	return append(protocol.AppendText(append(b, `,"reasoning":`...), reasoning), '}')
}

// turn is the conversation that the tokens continue.
func (d *words) turn(prompt []int64) *request.Turn {
	return &request.Turn{Server: d.model, Talk: request.ReadConversation(d.asked),
		Work: &generation.Work{Prompt: generation.Prompt{Text: d.model.Tokenizer.Decode(small(prompt), false)}}}
}

// small makes ints of ids; those that there are not stay so.
func small(ids []int64) []int {
	out := make([]int, len(ids))
	for i, id := range ids {
		out[i] = int(id)
	}
	return out
}

// Completion makes a text completion of the tokens of several prompts, or the next chunk of one.
func Completion(v *schema.Values, h protocol.Head, m *request.Model) ([]byte, *protocol.Error) {
	d := &words{v, h, m, v.Values("completion_request")}
	if v.Model() == "DerenderCompletionStreamRequest" {
		return d.textChunk(v.Values("generate_chunk"))
	}
	var from []*schema.Values
	for _, one := range request.List(v, "generate_responses") {
		one, _ := one.(*schema.Values)
		from = append(from, one)
	}
	if len(from) == 0 {
		return nil, protocol.BadRequest("generate_responses must not be empty")
	}
	if err := bounds(m, from...); err != nil {
		return nil, err
	}
	prompts := request.List(v, "prompt_token_ids")
	for _, ids := range prompts {
		if err := d.promptFits(ids); err != nil {
			return nil, err
		}
	}
	b := appendHead(nil, v, from[0], "text_completion", h)
	index, usage := 0, protocol.Usage{}
	for i, one := range from {
		prompt := promptOf(protocol.At(prompts, i), one)
		n, _ := schema.Int(protocol.At(request.List(v, "prompt_tokens"), i))
		usage.Prompt += int(n)
		for _, choice := range request.List(one, "choices") {
			choice, _ := choice.(*schema.Values)
			ids := protocol.Int64s(choice.Get("token_ids"))
			if len(ids) == 0 {
				return nil, protocol.BadRequest("choice %s in response %s has empty or null token_ids", pyjson.Str(choice.Get("index")), idOf(one))
			}
			if index > 0 {
				b = append(b, ',')
			}
			b = d.appendText(b, index, choice, ids, prompt)
			usage.Completion += len(ids)
			index++
		}
	}
	b = usage.Append(append(b, `],"service_tier":null,"system_fingerprint":null,"usage":`...))
	b = append(b, `,"kv_transfer_params":`...)
	b = protocol.AppendJSON(b, shared(from))
	b = append(b, `,"ec_transfer_params":null,"metrics":`...)
	if len(from) > 1 {
		return append(b, "null}"...), nil
	}
	return append(protocol.AppendJSON(b, from[0].Get("metrics")), '}'), nil
}

// shared is the parameters for the transfer of caches, where all answers have the same.
func shared(from []*schema.Values) any {
	first := from[0].Get("kv_transfer_params")
	for _, other := range from[1:] {
		if pyjson.Dumps(other.Get("kv_transfer_params")) != pyjson.Dumps(first) {
			return nil
		}
	}
	return first
}

// appendText writes a choice of a text completion.
func (d *words) appendText(b []byte, index int, choice *schema.Values, ids, prompt []int64) []byte {
	w := newWindow(d.model.Tokenizer, prompt, d.hides())
	b = protocol.AppendJSON(append(b, `{"index":`...), index)
	b = pyjson.AppendString(append(b, `,"text":`...), w.add(ids))
	words, told := restore(choice, d.model.Tokenizer, nil)
	b = appendTextWords(append(b, `,"logprobs":`...), words, told, 0)
	b = appendReasons(b, choice.Get("finish_reason"), choice)
	return append(b, `,"token_ids":null,"prompt_logprobs":null,"prompt_token_ids":null,"routed_experts":null}`...)
}

// appendPromptWords writes the likelihoods of a prompt as they came.
func appendPromptWords(b []byte, from *schema.Values) []byte {
	list, ok := from.List("prompt_logprobs")
	if !ok {
		return append(b, "null"...)
	}
	positions := make([]any, len(list))
	for i, position := range list {
		o, ok := position.(*pyjson.Object)
		if !ok {
			continue
		}
		told := pyjson.NewObject()
		for key, value := range o.All() {
			m := protocol.Members(value)
			told.Set(key, pyjson.NewObject(pyjson.Member{Key: "logprob", Value: m("logprob")}, pyjson.Member{Key: "rank", Value: m("rank")},
				pyjson.Member{Key: "decoded_token", Value: m("decoded_token")}))
		}
		positions[i] = told
	}
	return protocol.AppendJSON(b, positions)
}

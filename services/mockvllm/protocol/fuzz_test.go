package protocol_test

import (
	"context"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/chat"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/completion"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/messages"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/request"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/responses"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/tokens"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// asking is what the interfaces for text have in common.
type asking interface {
	Works() ([]*generation.Work, *protocol.Error)
	AppendBody([]byte, protocol.Head, []*generation.Output, protocol.Usage, *protocol.Timing) []byte
	Frames(protocol.Head, func(frame []byte)) request.Frames
}

// servers are models as servers with few and with many flags have them.
func servers() []*request.Model {
	plain := &request.Model{Model: generation.NewModel(tokenizer.Tiny(), generation.Guide, 0), Name: "m", MaxLen: 256, MaxLogprobs: 20,
		Templates: request.Templates{Default: template.Tiny()}}
	rich := &request.Model{Model: generation.NewModel(tokenizer.Tiny(), generation.Random, 0), Name: "m", MaxLen: 256, MaxLogprobs: 20,
		Templates: request.Templates{Default: template.Tiny(), Trust: true}, Tools: "hermes", Reasoning: "qwen3"}
	return []*request.Model{plain, rich}
}

// answered takes a body all the way to a whole answer and to a streamed one.
func answered(name, body string, m *request.Model, read func(*schema.Values, *request.Model) (asking, *protocol.Error)) {
	for _, streamed := range []bool{false, true} {
		v, _, err := protocol.Decode(name, "application/json", []byte(body))
		if err != nil {
			_ = err.Body()
			return
		}
		r, err := read(v, m)
		if err != nil {
			return
		}
		works, err := r.Works()
		if err != nil {
			_, _ = err.Body(), err.Event()
			return
		}
		var answers []*generation.Answer
		for _, w := range works {
			if w.Params.N > 4 || w.Plan(context.Background(), m.Model, m.Limits()) != nil {
				return
			}
			answers = append(answers, w.Answers...)
		}
		if len(answers) > 8 {
			return
		}
		if streamed {
			stream(r, answers)
		} else {
			whole(r, answers)
		}
	}
}

func whole(r asking, answers []*generation.Answer) {
	outs := make([]*generation.Output, len(answers))
	for i, a := range answers {
		outs[i] = a.Read().Next(a.Tokens, true)
	}
	r.AppendBody(nil, protocol.Head{}, outs, protocol.Usage{}, nil)
}

func stream(r asking, answers []*generation.Answer) {
	frames := r.Frames(protocol.Head{}, func([]byte) {})
	frames.Begin()
	for i, a := range answers {
		reader := a.Read()
		for n := 1; n <= a.Tokens; n++ {
			frames.Part(i, reader.Next(n, n == a.Tokens))
		}
	}
	frames.End(protocol.Usage{}, nil)
}

// fuzz looks for a body that ends in a panic or does not end. A seed with %s is tried with the odd values in that place.
func fuzz(f *testing.F, name string, read func(*schema.Values, *request.Model) (asking, *protocol.Error), seeds ...string) {
	for _, seed := range seeds {
		f.Add(seed)
		for _, value := range odd {
			f.Add(strings.Replace(seed, "{", `{"`+value.field+`":`+value.json+`,`, 1))
		}
	}
	models := servers()
	f.Fuzz(func(_ *testing.T, body string) {
		for _, m := range models {
			answered(name, body, m, read)
		}
	})
}

// odd are values that no client means.
var odd = []struct{ field, json string }{
	{"stop", `["a",1,null]`}, {"stop", `"\ud800"`}, {"stop_sequences", `["",{}]`}, {"bad_words", `[1]`}, {"bad_words", `["\udfff"]`},
	{"logit_bias", `{"1":99,"-1":1,"x":2,"99999999999999999999":3}`}, {"logit_bias", `{"300":1e999}`}, {"max_tokens", `1e400`},
	{"max_tokens", `-9223372036854775809`}, {"min_tokens", `1e18`}, {"seed", `99999999999999999999`}, {"seed", `-1`}, {"n", `3`},
	{"stop_token_ids", `[1.0,"2",-3,1e30]`}, {"allowed_token_ids", `[]`}, {"allowed_token_ids", `[2]`}, {"logprobs", `20`}, {"prompt_logprobs", `-1`},
	{"top_logprobs", `"5"`}, {"logprob_token_ids", `[1,1]`}, {"truncate_prompt_tokens", `-1`}, {"truncate_prompt_tokens", `0`},
	{"repetition_detection", `{"max_pattern_size":9223372036854775807,"min_pattern_size":9223372036854775807,"min_count":9223372036854775807}`},
	{"repetition_detection", `{"max_pattern_size":4,"min_count":2}`}, {"thinking_token_budget", `-5`}, {"priority", `1e18`}, {"stream_interval", `1e18`},
	{"chat_template", `"{% for x in range(9999999999) %}x{% endfor %}"`}, {"chat_template_kwargs", `{"enable_thinking":[],"chat_template":1}`},
	{"tool_choice", `{"type":"function","function":{}}`}, {"tools", `[{"type":"function","function":{"name":"f","parameters":5}}]`},
	{"tools", `[{"type":"function","function":{"name":"f","parameters":{"$ref":"#"}}}],"tool_choice":"required"`},
	{"tools", `[{"name":"f","input_schema":{"type":"object","properties":{"a":{"$ref":"#/properties/a"}},"required":["a"]}}]`},
	{"input", strings.Repeat("[", 2000)}, {"messages", strings.Repeat(`[{"a":`, 1000)}, {"prompt", `[[1,2],"a",[]]`}, {"tokens", `[-1,4294967295,1e30]`},
	{"echo", `true`}, {"use_beam_search", `true`}, {"continue_final_message", `true,"add_generation_prompt":false`}, {"ignore_eos", `true`},
	{"reasoning_effort", `"none"`}, {"documents", `[1,[]]`}, {"cache_salt", `"\u0000"`}, {"include", `[1,"message.output_text.logprobs"]`},
}

func FuzzChat(f *testing.F) {
	fuzz(f, "ChatCompletionRequest", func(v *schema.Values, m *request.Model) (asking, *protocol.Error) { return chat.Read(v, m), nil },
		`{"messages":[{"role":"user","content":"Hi"}]}`,
		`{"messages":[{"role":"user","content":[{"type":"text","text":"a"},"b",1,null,{"type":"image_url","image_url":{"url":"x"}}]}]}`,
		`{"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{"}}]},{"role":"tool","content":"\ud800"}]}`,
		`{"messages":[{"role":"user","content":"f"}],"logprobs":true,"tools":[{"type":"function","function":{"name":"f"}}]}`)
}

func FuzzCompletion(f *testing.F) {
	fuzz(f, "CompletionRequest", func(v *schema.Values, m *request.Model) (asking, *protocol.Error) { return completion.Read(v, m), nil },
		`{"prompt":"Hi"}`, `{"prompt":["a","b"]}`, `{"prompt":[1,2]}`, `{"prompt":[[1],[2]],"logprobs":1,"echo":true}`, `{"prompt":[-1]}`, `{"prompt":[1e30]}`,
		`{"prompt":"a","suffix":"b"}`, `{"prompt_embeds":"x"}`, `{"prompt":[[]]}`, `{"prompt":"\udc00"}`)
}

func FuzzMessages(f *testing.F) {
	fuzz(f, "AnthropicMessagesRequest", func(v *schema.Values, m *request.Model) (asking, *protocol.Error) { return messages.Read(v, m) },
		`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}`,
		`{"model":"m","max_tokens":9,"system":[{"type":"text","text":"a"}],"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":1},5]}]}]}`,
		`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"tool_addition","tool":{"type":"x","name":"f"}},{"type":"tool_removal","tool":{}}]}]}`,
		`{"model":"m","max_tokens":9,"thinking":{"type":"enabled","budget_tokens":1024},"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]}]}`)
}

func FuzzResponses(f *testing.F) {
	fuzz(f, "ResponsesRequest", func(v *schema.Values, m *request.Model) (asking, *protocol.Error) { return responses.Read(v, m), nil },
		`{"input":"Hi"}`, `{"input":[{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image"}]}]}`,
		`{"input":[{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":[{"type":"input_text","text":"x"}]}]}`,
		`{"input":[{"type":"reasoning","id":"r","summary":[],"content":[{"type":"reasoning_text","text":"x"}]},{"role":"assistant","content":"a","status":"incomplete"}]}`,
		`{"input":"f","tools":[{"type":"function","name":"f","parameters":{}}],"tool_choice":{"type":"function","name":"f"},"text":{"format":{"type":"json_object"}}}`)
}

func FuzzTokens(f *testing.F) {
	for _, seed := range []string{`{"prompt":"Hi"}`, `{"tokens":[1,2,300]}`, `{"tokens":[-1,99999999999,1e30,4294967295]}`, `{"prompt":"\ud800","return_token_strs":true}`,
		`{"messages":[{"role":"user","content":"a"}],"tools":[{"type":"function","function":{"name":"f"}}]}`, `{"messages":[]}`,
		`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"a"}]}`} {
		f.Add(seed)
	}
	models := servers()
	f.Fuzz(func(_ *testing.T, body string) {
		for name, answer := range map[string]func(*schema.Values, *request.Model) ([]byte, *protocol.Error){
			"TokenizeRequest": tokens.Tokenize, "DetokenizeRequest": tokens.Detokenize, "AnthropicCountTokensRequest": messages.CountTokens} {
			v, _, err := protocol.Decode(name, "application/json", []byte(body))
			if err != nil {
				continue
			}
			for _, m := range models {
				_, _ = answer(v, m)
			}
		}
	})
}

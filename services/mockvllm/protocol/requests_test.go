package protocol

import (
	"encoding/json"
	"strings"
	"testing"
)

const jsonType = "application/json"

// planChat decodes and plans a chat request with the given fields besides messages.
func planChat(fields string) ([]Work, *Error) {
	c, err := DecodeChat(jsonType, []byte(`{"messages":[{"role":"user","content":"x"}]`+fields+`}`))
	if err != nil {
		return nil, err
	}
	return c.Plan(Model{Name: "m", MaxLen: 100})
}

func TestValuesInTheWordsOfVLLM(t *testing.T) {
	f := func(fields, message, param string) {
		t.Helper()
		_, err := planChat("," + fields)
		if err == nil || err.Status != 400 || !strings.HasPrefix(err.Message, message) || err.Param != param {
			t.Errorf("%s: %+v, want %s (%s)", fields, err, message, param)
		}
	}
	f(`"n":0`, "n must be at least 1, got 0.", "")
	f(`"max_tokens":0`, "max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)", "max_tokens")
	f(`"max_tokens":101`, "max_tokens=101 cannot be greater than max_model_len=100.", "max_tokens")
	f(`"temperature":-1`, "temperature must be non-negative, got -1.0.", "temperature")
	f(`"temperature":Infinity`, "temperature must be a finite number, got inf.", "temperature")
	f(`"top_p":NaN`, "top_p must be in (0, 1], got nan.", "top_p")
	f(`"top_k":-2`, "top_k must be 0 (disable), or at least 1, got -2.", "")
	f(`"min_tokens":-1`, "min_tokens must be greater than or equal to 0, got -1.", "")
	f(`"stop":["a",""]`, "stop cannot contain an empty string.", "")
	f(`"seed":9223372036854775808`, "1 validation error:\n  {'type': 'less_than_equal', 'loc': 'body.seed'", "body.seed")
	f(`"seed":1.5`, "1 validation error:\n  {'type': 'int_from_float', 'loc': 'body.seed'", "body.seed")
	f(`"max_tokens":"","user":5`, "2 validation errors:\n  {'type': 'int_parsing', 'loc': 'body.max_tokens'", "body.max_tokens")
	f(`"prompt_logprobs":-3`, "`prompt_logprobs` must be a positive value or -1. (parameter=prompt_logprobs, value=-3)", "prompt_logprobs")
	f(`"stream":true,"prompt_logprobs":1`, "`prompt_logprobs` are not available when `stream=True`.", "prompt_logprobs")
	f(`"chat_template":"x"`, "Chat template is passed with request", "")
	f(`"stop_token_ids":[7,353]`, "token_id(s) [7] in stop_token_ids contain out-of-vocab token ids.", "stop_token_ids")
	f(`"response_format":5`, "1 validation error:\n  {'type': 'model_attributes_type', 'loc': 'body.response_format'", "body.response_format")
	f(`"response_format":{}`, "1 validation error:\n  {'type': 'missing', 'loc': 'body.response_format.type'", "body.response_format.type")
	f(`"top_logprobs":1.5`, "`top_logprobs` must be an integer. (parameter=top_logprobs, value=1.5)", "top_logprobs")
	f(`"mm_payload":"x"`, "1 validation error:\n  {'type': 'literal_error', 'loc': 'body.mm_payload', 'msg': \"Input should be 'tensors' or 'none'\"", "body.mm_payload")
	f(`"max_tokens":1e400`, "1 validation error:\n  {'type': 'finite_number', 'loc': 'body.max_tokens'", "body.max_tokens")
	f(`"bad_words":5`, "1 validation error:\n  {'type': 'list_type'", "body.bad_words")
	f(`"stream":true,"stream_options":5`, "1 validation error:\n  {'type': 'model_attributes_type'", "body.stream_options")
	f(`"stream_options":{"include_usage":"x"},"stream":1`, "1 validation error:\n  {'type': 'bool_parsing'", "body.stream_options.include_usage")
}

func TestLaxNumbers(t *testing.T) {
	f := func(fields string, tokens int) {
		t.Helper()
		works, err := planChat(fields)
		if err != nil || len(works[0].Answer.Deltas) != tokens {
			t.Errorf("%s: %d works, %v; want %d tokens", fields, len(works), err, tokens)
		}
	}
	f(`,"max_tokens":2`, 2)
	f(`,"max_tokens":2.0`, 2)
	f(`,"max_tokens":"2"`, 2)
	f(`,"max_tokens":" 2.0 "`, 2)
	f(`,"max_tokens":true`, 1)
	f(`,"max_tokens":2e0`, 2)
	f(`,"temperature":"0.5","top_p":true,"max_tokens":1`, 1)
}

func TestBadConversations(t *testing.T) {
	f := func(messages, part string) {
		t.Helper()
		c, err := DecodeChat(jsonType, []byte(`{"messages":`+messages+`}`))
		if err == nil {
			_, err = c.Plan(Model{Name: "m", MaxLen: 100})
		}
		if err == nil || err.Status != 400 || !strings.Contains(err.Message, part) {
			t.Errorf("%s: %+v, want %s", messages, err, part)
		}
	}
	f(`[]`, "empty conversation")
	f(`null`, "'NoneType' object is not iterable")
	f(`1.5`, "'float' object is not iterable")
	f(`"x"`, "'list_type', 'loc': 'body.messages'")
	f(`[5]`, "'loc': 'body.messages.0'")
	f(`[{"content":"x"}]`, "'missing', 'loc': 'body.messages.0.role'")
	f(`[{"role":"user","content":null}]`, "'loc': 'body.messages.0.content'")
	f(`[{"role":"user","content":[{"text":"x"}]}]`, "'missing', 'loc': 'body.messages.0.content.0.type'")
	f(`[{"role":"user","content":[{"type":"smell"}]}]`, "'loc': 'body.messages.0.content.0.type'")
	f(`[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]`, "m is not a multimodal model")
	f(`[{"role":"user","content":"\udc00"}]`, "TextEncodeInput must be")
	f(`[{"role":"user","content":"`+strings.Repeat("x", 1300)+`"}]`, "characters (more than 1300 characters")
}

func TestBadPrompts(t *testing.T) {
	f := func(prompt, part string) {
		t.Helper()
		c, err := DecodeCompletion(jsonType, []byte(`{"prompt":`+prompt+`}`))
		if err == nil {
			_, err = c.Plan(Model{Name: "m", MaxLen: 100})
		}
		if err == nil || err.Status != 400 || !strings.Contains(err.Message, part) {
			t.Errorf("%s: %+v, want %s", prompt, err, part)
		}
	}
	f(`[]`, "You must pass at least one prompt")
	f(`""`, "Either prompt or prompt_embeds must be provided")
	f(`[[]]`, "The decoder prompt cannot be empty")
	f(`[77]`, "Token id 77 is out of vocabulary")
	f(`[1.5]`, "'int_from_float', 'loc': 'body.prompt.0'")
	f(`[["a"]]`, "'int_parsing'")
	f(`[null]`, "'string_type', 'loc': 'body.prompt.0'")
	f(`{}`, "'string_type', 'loc': 'body.prompt'")
	f(`["`+strings.Repeat(`a","`, 1024)+`a"]`, "prompt list length 1025 exceeds")
}

func FuzzDecodeChat(f *testing.F) {
	f.Add([]byte(`{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]}],"stop":["x"],"n":2,"max_tokens":"5"}`))
	f.Add([]byte(`{"messages":[{}],"tools":[{"function":{"name":1}}],"tool_choice":{"function":{}},"stream_options":{}}`))
	f.Add([]byte(`{"messages":[{"role":"user","content":"f"}],"tools":[{"function":{"name":"f","parameters":{"required":["a"]}}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := DecodeChat(jsonType, body)
		if err == nil && c.N < 100 {
			_, err = c.Plan(Model{Name: "m", MaxLen: 500, Parser: true, Auto: true})
		}
		if err != nil && (err.Status < 400 || err.Error() == "" || len(err.Body()) == 0) {
			t.Fatalf("%q: empty refusal %+v", body, err)
		}
	})
}

func FuzzDecodeMessages(f *testing.F) {
	f.Add([]byte(`{"model":"m","max_tokens":50,"messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"text","text":"x"}]}]}]}`))
	f.Add([]byte(`{"model":"m","max_tokens":90,"messages":[{"role":"user","content":"f"}],"tools":[{"name":"f","input_schema":{}}],"system":[{}]}`))
	f.Add([]byte(`{"model":"m","max_tokens":90,"messages":[{"role":"user","content":"<tool_call>{\"name\": \"x\"}</tool_call>"}],"tools":[{"name":"f","input_schema":{}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := DecodeMessages(jsonType, body)
		var works []Work
		if err == nil {
			works, err = c.Plan(Model{Name: "m", MaxLen: 500, Parser: true, Auto: true})
		}
		if err != nil {
			if err.Status < 400 || err.Error() == "" || !json.Valid(err.MessagesBody()) {
				t.Fatalf("%q: bad refusal %+v", body, err)
			}
			return
		}
		n := len(works[0].Answer.Deltas)
		if !json.Valid(MessageBody(Head{}, []Choice{works[0].Choice(n)}, Usage{})) {
			t.Fatalf("%q: %+v", body, works)
		}
		s := NewMessageStream(Head{}, &c.Common, func([]byte) {})
		for i := range n - 1 {
			s.Token(0, works[0], i)
		}
		s.Finish(0, works[0], n)
	})
}

func FuzzDecodeCompletion(f *testing.F) {
	f.Add([]byte(`{"prompt":[[353,354],"x"],"min_tokens":3,"ignore_eos":true}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := DecodeCompletion(jsonType, body)
		if err == nil && c.N < 100 {
			_, err = c.Plan(Model{Name: "m", MaxLen: 500})
		}
		if err != nil && err.Error() == "" {
			t.Fatalf("%q: empty refusal %+v", body, err)
		}
	})
}

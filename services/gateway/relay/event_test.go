package relay

import "testing"

// TestParseEvent has the frames of vLLM's four kinds of streams. The parser has no other door than the stream, whose
// outcomes would not tell which of its findings was wrong.
func TestParseEvent(t *testing.T) {
	f := func(data string, want event) {
		t.Helper()
		if got := parseEvent([]byte(data)); got != want {
			t.Errorf("%s\n got %+v\nwant %+v", data, got, want)
		}
	}
	token := event{token: true}
	f(`[DONE]`, event{last: EndDone})
	f(` [DONE] `, event{last: EndDone})
	f(`not JSON`, event{})
	f(`{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}`, event{})
	f(`{"choices":[{"index":0,"delta":{"content":"x"}}]}`, token)
	f(`{"choices":[{"index":0,"delta":{"content":"x"},"logprobs":null,"finish_reason":null,"token_ids":null}]}`, token)
	f(`{"choices":[{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":null}]}`, event{})
	f(`{"choices":[{"index":0,"delta":{"content":"","role":"x"},"logprobs":null,"finish_reason":null}]}`, event{})
	f(`{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"},{"index":0,"delta":{"content":"x"},"finish_reason":null}]}`, event{token: true, finish: true})
	f(`{"choices":[{"index":0,"delta":{"content":"\"}"},"finish_reason":null}]}`, token)
	f(`{"choices":[{"index":0,"delta":{"reasoning":"x"}}]}`, token)
	f(`{"choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"index":0}]}}]}`, token)
	f(`{"choices":[{"index":0,"delta":{}}]}`, event{})
	f(`{"choices":[{"index":0,"delta":{"content":"","tool_calls":null}}]}`, event{})
	f(`{"choices":[{"index":0,"delta":{"tool_calls":[]}}]}`, event{})
	f(`{"choices":[{"index":0,"text":"x"}]}`, token)
	f(`{"choices":[{"index":0,"text":"x","finish_reason":"length"}]}`, event{token: true, finish: true})
	f(`{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null},{"index":1,"finish_reason":"stop"}]}`, event{token: true, finish: true})
	f(`{"choices":[{"index":0,"text":""}],"usage":null}`, event{})
	f(`{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}`, event{usageOnly: true, usage: Usage{9, 3}})
	f(`{"choices":[ ],"usage":null}`, event{})
	f(`{"choices":[{"text":"x"}],"usage":{"prompt_tokens":9,"completion_tokens":1}}`, event{token: true, usage: Usage{9, 1}})
	f(`{"error":{"message":"boom"}}`, event{failed: true})
	f(`{"error":null,"choices":[{"text":"x"}]}`, token)
	f(`{"type":"response.output_text.delta","delta":"x"}`, token)
	f(`{"response":{"usage":{"input_tokens":4,"output_tokens":2}},"type":"response.completed"}`, event{last: EndResponse, usage: Usage{4, 2}})
	f(`{"response":{},"type":"response.incomplete"}`, event{last: EndResponse})
	f(`{"response":{},"type":"response.failed"}`, event{last: EndResponse, failed: true})
	f(`{"type":"error","code":"x","message":"boom"}`, event{failed: true})
	f(`{"type":"message_start","message":{"usage":{"input_tokens":11,"output_tokens":0}}}`, event{usage: Usage{11, 0}})
	f(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}`, token)
	f(`{"type":"message_delta","usage":{"output_tokens":4}}`, event{usage: Usage{0, 4}})
	f(`{"type":"message_stop"}`, event{last: EndMessage})
	f(`{"type":"error","error":{"type":"api_error","message":"boom"}}`, event{failed: true})
	f(`{"choices":"odd","usage":{"prompt_tokens":-1,"completion_tokens":"x"}}`, event{})
}

func TestUsageAdds(t *testing.T) {
	var u Usage
	for _, later := range []Usage{{11, 0}, {0, 2}, {0, 4}, {}} {
		u.add(later)
	}
	if u != (Usage{11, 4}) {
		t.Errorf("usage = %+v", u)
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(`{"choices":[{"delta":{"content":"x"}}],"usage":{"prompt_tokens":1}}`))
	f.Add([]byte(`{"error":{"message":"boom"},"choices":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e := parseEvent(data)
		if e.usage.Prompt < 0 || e.usage.Completion < 0 || e.last == EndDone && e.token {
			t.Errorf("%q gives %+v", data, e)
		}
	})
}

func BenchmarkParseEvent(b *testing.B) {
	data := []byte(`{"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1764400000,"model":"m",` +
		`"choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null,"token_ids":null}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if !parseEvent(data).token {
			b.Fatal("no token")
		}
	}
}

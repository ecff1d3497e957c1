package relay

import "testing"

// TestParseEvent has the frames of vLLM's four kinds of streams. The parser has no other door than the stream, whose
// outcomes would not tell which of its findings was wrong.
func TestParseEvent(t *testing.T) {
	var known pattern // by the frames before
	f := func(data string, want event) {
		t.Helper()
		if got := parseEvent([]byte(data)); got != want {
			t.Errorf("%s\n got %+v\nwant %+v", data, got, want)
		}
		known.parse([]byte(data))
		if got := known.parse([]byte(data)); got != want {
			t.Errorf("%s\n once more %+v\nwant %+v", data, got, want)
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

// TestPattern: a frame that is like the one before but for its text is known, and any other is read.
func TestPattern(t *testing.T) {
	chunk := func(text string) string {
		return `{"id":"a","choices":[{"index":0,"delta":{"content":"` + text + `"},"logprobs":null,"finish_reason":null}]}`
	}
	f := func(before, data string, fits bool) {
		t.Helper()
		var m pattern
		m.parse([]byte(before))
		if got := m.fits([]byte(data)); got != fits {
			t.Errorf("%s\nafter %s: fits %t, want %t", data, before, got, fits)
		}
		if got, want := m.parse([]byte(data)), parseEvent([]byte(data)); got != want {
			t.Errorf("%s\nafter %s: %+v, want %+v", data, before, got, want)
		}
	}
	f(chunk("x"), chunk("x"), true)
	f(chunk("x"), chunk(" für Grüße"), true)
	f(`{"choices":[{"index":0,"text":"x"}]}`, `{"choices":[{"index":0,"text":" and"}]}`, true)
	f(`{"choices":[{"delta":{"reasoning":"x"}}]}`, `{"choices":[{"delta":{"reasoning":"y"}}]}`, true)
	f(`{"type":"content_block_delta","delta":{"type":"text_delta","text":"x"}}`, `{"type":"content_block_delta","delta":{"type":"text_delta","text":"y"}}`, true)
	f(chunk("x"), chunk(""), false)
	f(chunk(""), chunk("x"), false)
	f(chunk(`a\n`), chunk("x"), false)
	f(chunk("x"), chunk(`\"`), false)
	f(chunk("x"), chunk(`y"},"finish_reason":"stop","delta":{"content":"z`), false)
	f(chunk("x"), chunk("\x01"), false)
	f(chunk("x"), chunk("\xff"), false)
	f(chunk("x"), `{"id":"a","choices":[{"index":0,"delta":{"content":"y"},"logprobs":null,"finish_reason":"stop"}]}`, false)
	f(chunk("x"), chunk("x")[:80], false)
	f(`{"choices":[{"text":"x"}],"usage":{"prompt_tokens":9}}`, `{"choices":[{"text":"y"}],"usage":{"prompt_tokens":9}}`, false)
	f(`{"error":{"content":"x"}}`, `{"error":{"content":"y"}}`, false)
	f(`{"type":"x.delta"}`, `{"type":"x.delta"}`, false)
}

// FuzzPattern: whatever came before, a frame means what it means alone.
func FuzzPattern(f *testing.F) {
	f.Add(`{"choices":[{"delta":{"content":"x"}}]}`, `{"choices":[{"delta":{"content":"y"}}]}`)
	f.Add(`{"choices":[{"text":"x","finish_reason":null}]}`, `{"choices":[{"text":"","finish_reason":"stop"}]}`)
	f.Add(`{"delta":"","text":"a","type":".delta"}`, `{"delta":"","text":"a\"}`)
	f.Fuzz(func(t *testing.T, before, data string) {
		var m pattern
		m.parse([]byte(before))
		if got, want := m.parse([]byte(data)), parseEvent([]byte(data)); got != want {
			t.Errorf("%q after %q: %+v, want %+v", data, before, got, want)
		}
	})
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
	f := func(name string, parse func([]byte) event) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !parse(data).token {
					b.Fatal("no token")
				}
			}
		})
	}
	var m pattern
	f("read", parseEvent)
	f("known", m.parse)
}

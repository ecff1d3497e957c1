package golden

import (
	"strings"
	"testing"
)

// sse makes frames of data.
func sse(data ...string) string { return "data: " + strings.Join(data, "\n\ndata: ") + "\n\n" }

func answer(status, contentType, body string) Answer {
	a := Answer{StatusLine: "HTTP/1.1 " + status, Body: body,
		Headers: []Header{{"date", "Mon, 23 Nov 2026 02:13:45 GMT"}, {"content-type", contentType}}}
	if contentType == "text/event-stream" {
		for range strings.Count(body, "\n\n") {
			a.FramesPerChunk = append(a.FramesPerChunk, 1)
		}
	}
	return a
}

func TestDifference(t *testing.T) {
	// f expects the difference to hold part; "" is none. Both ways round must agree on whether there is one.
	f := func(contentType, status, request, want, got, part string) {
		t.Helper()
		w, g := answer(status, contentType, want), answer(status, contentType, got)
		diff := Case{Request: Request{Body: Body(request)}, Answer: &w}.Difference(g)
		if part == "" && diff != "" || !strings.Contains(diff, part) {
			t.Errorf("%s\n%s\ndifference %q, want one with %q", want, got, diff, part)
		}
		if back := (Case{Request: Request{Body: Body(request)}, Answer: &g}).Difference(w); (back == "") != (diff == "") {
			t.Errorf("%s\n%s\ndifference %q, the other way round %q", want, got, diff, back)
		}
	}
	ok := func(want, got, part string) { t.Helper(); f("application/json", "200 OK", `{}`, want, got, part) }
	ok(`{"a":1,"b":null}`, `{"a":1,"b":null}`, "")
	ok(`{"a":1,"b":null}`, `{"b":null,"a":1}`, "body.a")
	ok(`{"a":1,"b":null}`, `{"a":1}`, "body.b = null")
	ok(`{"a":1}`, `{"a":1.0}`, "1.0")
	ok(`{"a":1}`, `{"a":true}`, "true")
	ok(`{"a":1}`, `{"a":"1"}`, `"1"`)
	ok(`{"a":{}}`, `{"a":[]}`, "[]")
	ok(`{"a":[1,2]}`, `{"a":[1]}`, "want body.a[1] = 2")
	ok(`{"a":1,"b":2}`, `{"a": 1, "b": 2}`, "style")
	ok(`{"a":"é"}`, `{"a":"\u00e9"}`, "escapes")
	ok(`{"a":"<"}`, `{"a":"\u003c"}`, "escapes")
	ok(`{"a":"b: \" \u0001"}`, `{"a":"b: \" \u0001"}`, "")
	ok(`{"a.b":1}`, `{"a":{"b":1}}`, "body")
	ok(`plain`, `other`, "text")
	ok(`{"a":1}`, `{"a":1`, "text")
	// masks hide what varies, and neither its type nor whether there is any
	ok(`{"id":"chatcmpl-00112233445566aa"}`, `{"id":"chatcmpl-99112233445566bb"}`, "")
	ok(`{"id":"chatcmpl-00112233445566aa"}`, `{"id":"cmpl-00112233445566aa"}`, "body.id")
	ok(`{"id":"abc"}`, `{"id":"abd"}`, "body.id")
	ok(`{"system_fingerprint":"vllm-0.32.0-01234567"}`, `{"system_fingerprint":"vllm-0.32.0-76543210"}`, "")
	ok(`{"system_fingerprint":"vllm-0.32.0-01234567"}`, `{"system_fingerprint":"vllm-0.32.1-01234567"}`, "fingerprint")
	ok(`{"content":"a"}`, `{"content":"b"}`, "")
	ok(`{"content":"a"}`, `{"content":""}`, "content")
	ok(`{"content":"a"}`, `{"content":null}`, "content")
	ok(`{"content":[{"text":"a","type":"text"}]}`, `{"content":[{"text":"b","type":"text"}]}`, "")
	ok(`{"tokens":[1]}`, `{"tokens":[2,3]}`, "")
	ok(`{"tokens":[1]}`, `{"tokens":[]}`, "tokens")
	ok(`{"top_logprobs":{"a":1}}`, `{"top_logprobs":{"b":2}}`, "")
	ok(`{"created":1,"logprob":-1.5}`, `{"created":2,"logprob":-2}`, "")
	ok(`{"created":1}`, `{"created":null}`, "created")
	ok(`{"error":{"content":"a"}}`, `{"error":{"content":"b"}}`, "body.error.content")
	ok(`{"errors":[{"content":"a"}]}`, `{"errors":[{"content":"b"}]}`, "content")
	ok(`{"a":{"errors":{"content":"a"}}}`, `{"a":{"errors":{"content":"b"}}}`, "")
	f("application/json", "400 Bad Request", `{}`, `{"a":{"content":"a"}}`, `{"a":{"content":"b"}}`, "content")
	f("text/html", "200 OK", ``, `<a href="https://a/b">`, `<a href="http://c">`, "")
	f("text/html", "200 OK", ``, `<a href="https://a/b">`, `<b href="https://a/b">`, "text")
	f("text/plain", "200 OK", ``, "# HELP a b\n# TYPE vllm:a gauge\nvllm:a 1\n", "# HELP a b\n# TYPE vllm:a gauge\nvllm:a 2\n", "")
	f("text/plain", "200 OK", ``, "# HELP a b\n# TYPE vllm:a gauge\n", "# HELP a b\n# TYPE vllm:a counter\n", "vllm:a counter")
	// lengths follow from the words only where something else than the request ends the answer
	short, long := `{"finish_reason":"stop","usage":{"completion_tokens":2}}`, `{"finish_reason":"length","usage":{"completion_tokens":3}}`
	ok(short, long, "finish_reason")
	for _, request := range []string{`{"stop":"a"}`, `{"stop_token_ids":[1]}`, `{"tools":[{}]}`, `{"response_format":{"type":"text"}}`, `{"text":{"a":1}}`} {
		f("application/json", "200 OK", request, short, long, "")
	}
	for _, request := range []string{`{"stop":""}`, `{"stop":[]}`, `{"stop":null}`, `{"tools":[]}`, `{"stop":"a","stop":0}`, `[]`, `no JSON`} {
		f("application/json", "200 OK", request, short, long, "finish_reason")
	}
	f("application/json", "200 OK", `{"stop":"a"}`, short, `{"finish_reason":null,"usage":{"completion_tokens":2}}`, "finish_reason")
}

func TestDifferenceOfStreams(t *testing.T) {
	f := func(want, got, part string) {
		t.Helper()
		w, g := answer("200 OK", "text/event-stream", want), answer("200 OK", "text/event-stream", got)
		diff := Case{Answer: &w}.Difference(g)
		if part == "" && diff != "" || !strings.Contains(diff, part) {
			t.Errorf("%q\n%q\ndifference %q, want one with %q", want, got, diff, part)
		}
	}
	role, word := `{"choices":[{"index":0,"delta":{"role":"a"}}]}`, `{"choices":[{"index":0,"delta":{"content":"a"}}]}`
	other, usage := strings.ReplaceAll(word, ":0", ":1"), `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}`
	f(sse(role, word, word, "[DONE]"), sse(role, word, word, "[DONE]"), "")
	f(sse(role, word, word, "[DONE]"), sse(role, word, "[DONE]"), "")
	f(sse(role, word, "[DONE]"), sse(role, word), "want choice -")
	f(sse(role, word, "[DONE]"), sse(word, role, "[DONE]"), "choice 0, frame 0")
	f(sse(word, other, word), sse(other, word), "")
	f(sse(word, other), sse(word), "choice 1")
	f(sse(word, usage), sse(word, strings.Replace(usage, "2", "3", 1)), "")
	f(sse(word, usage), sse(word, strings.Replace(usage, "1", "3", 1)), "prompt_tokens")
	f(sse(word, usage), sse(usage, word), "stream: ")
	f(sse(word), sse(strings.ReplaceAll(word, ":", ": ")), "stream: ")
	f(sse(word), strings.Replace(sse(word), "data: ", "data:", 1), "stream: ")
	f(sse(word), strings.TrimSuffix(sse(word), "\n"), "stream: ")
	f(sse(word), strings.ReplaceAll(sse(word), "\n", "\r\n"), "stream: ")
	f("event: a\n"+sse(word), "event: b\n"+sse(word), "event")
	f("event: a\n"+sse(`{"sequence_number":1}`), "event: a\n"+sse(`{"sequence_number":2}`), "")

	w, g := answer("200 OK", "text/event-stream", sse(role, word)), answer("200 OK", "text/event-stream", sse(role, word))
	g.FramesPerChunk = []int{2}
	if diff := (Case{Answer: &w}).Difference(g); !strings.Contains(diff, "frames per chunk") {
		t.Errorf("two frames in a chunk: %q", diff)
	}
}

func TestHeaders(t *testing.T) {
	// f takes "name: value|name: value" and expects differences with these parts.
	f := func(want, got, part, headPart string) {
		t.Helper()
		read := func(text string) Answer {
			a := Answer{StatusLine: "HTTP/1.1 200 OK"}
			for line := range strings.SplitSeq(text, "|") {
				name, value, _ := strings.Cut(line, ": ")
				a.Headers = append(a.Headers, Header{name, value})
			}
			return a
		}
		w := read(want)
		c := Case{Answer: &w}
		if diff := c.Difference(read(got)); part == "" && diff != "" || !strings.Contains(diff, part) {
			t.Errorf("%s, %s: difference %q, want one with %q", want, got, diff, part)
		}
		if diff := c.HeadDifference(read(got)); headPart == "" && diff != "" || !strings.Contains(diff, headPart) {
			t.Errorf("%s, %s: head difference %q, want one with %q", want, got, diff, headPart)
		}
	}
	f("server: a|vary: b", "server: a|vary: b", "", "")
	f("server: a|vary: b", "vary: b|server: a", "", "server")
	f("server: a", "Server: a", "", "Server")
	f("server: a", "server: b", "server: b", "")
	f("server: a", "server: a|vary: b", "vary", "vary")
	f("allow: GET, POST", "allow: POST, GET", "", "")
	f("date: Mon, 23 Nov 2026 02:13:45 GMT", "date: Tue, 24 Nov 2026 02:13:45 GMT", "", "")
	f("date: Mon, 23 Nov 2026 02:13:45 GMT", "date: today", "today", "")
	f("content-length: 1", "content-length: 2", "", "")
	f("x-request-id: 00112233445566aa", "x-request-id: 11112233445566aa", "", "")
	f("x-request-id: mine", "x-request-id: yours", "yours", "")
}

func TestNoAnswerIsADifference(t *testing.T) {
	if (Case{}).Difference(Answer{}) == "" {
		t.Error("a case without an answer passes")
	}
}

package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// hello is the request of step 3 in docs/testing-without-a-gpu.md.
var hello = map[string]any{"messages": user("Hello, how are you?"), "max_tokens": 100}

const helloAnswer = "Mock response to: Hello, how are you?..."

func healthEverywhere(t *testing.T, s *stack) {
	for name, base := range map[string]string{"gateway": s.gateway, "supervisor": s.supervisor} {
		for _, path := range []string{"/health", "/ready"} {
			do(t, http.MethodGet, base+path, nil).want(t, http.StatusOK)
		}
		if s.scrape(t, base).sum("fluidmcp_build_info") == 0 {
			t.Errorf("%s has no fluidmcp_build_info", name)
		}
	}
	for model, base := range s.mocks {
		do(t, http.MethodGet, base+"/health", nil).want(t, http.StatusOK)
		if len(s.scrape(t, base)["vllm:num_requests_running"].GetMetric()) == 0 {
			t.Errorf("the server of %s has no vllm:num_requests_running", model)
		}
	}
}

func guideRequest(t *testing.T, s *stack) {
	var c completion
	do(t, http.MethodPost, s.gateway+"/llm/mock-llm/chat/completions", hello).want(t, http.StatusOK).decode(t, &c)
	if !strings.HasPrefix(c.ID, "chatcmpl-") || c.Object != "chat.completion" || c.Model != "mock-model" {
		t.Errorf("id %q, object %q, model %q", c.ID, c.Object, c.Model)
	}
	if len(c.Choices) != 1 || c.Choices[0].Message != (message{"assistant", helloAnswer}) {
		t.Errorf("choices %+v", c.Choices)
	}
	if u := c.Usage; u == nil || u.Prompt < 1 || u.Completion < 1 || u.Total != u.Prompt+u.Completion {
		t.Errorf("usage %+v", u)
	}

	long := strings.Repeat("ä", 60)
	do(t, http.MethodPost, s.gateway+"/llm/mock-llm/chat/completions", map[string]any{"messages": user(long)}).decode(t, &c)
	if got, want := c.Choices[0].Message.Content, "Mock response to: "+strings.Repeat("ä", 50)+"..."; got != want {
		t.Errorf("answer to 60 letters is %q, want %q", got, want)
	}
}

// withModel adds a model to a request.
func withModel(model string, request map[string]any) map[string]any {
	all := map[string]any{"model": model}
	for k, v := range request {
		all[k] = v
	}
	return all
}

func pathForms(t *testing.T, s *stack) {
	inPath := func(model string) []string {
		return []string{"/llm/" + model + "/chat/completions", "/llm/" + model + "/v1/chat/completions"}
	}
	ask := func(path string, request map[string]any, streamed bool) {
		t.Helper()
		url := s.gateway + path
		if !streamed {
			var c completion
			do(t, http.MethodPost, url, request).want(t, http.StatusOK).decode(t, &c)
			if c.Object != "chat.completion" || c.Choices[0].Message.Content != helloAnswer || c.Model != "mock-model" {
				t.Errorf("%s with %v answers %+v", path, request, c)
			}
			return
		}
		_, all := stream(t, url, withModel(request["model"].(string), map[string]any{"messages": hello["messages"], "stream": true}))
		if text := streamedText(t, all); text != helloAnswer {
			t.Errorf("%s streams %q", path, text)
		}
	}
	for _, model := range []string{mockLLM, slashed, url.PathEscape(slashed)} {
		for _, path := range inPath(model) {
			ask(path, hello, false)
			ask(path, withModel("mock-model", hello), false)
			ask(path, withModel("whatever the client calls it", hello), true)
		}
	}
	for _, path := range []string{"/v1/chat/completions", "/llm/v1/chat/completions"} {
		for _, model := range []string{mockLLM, slashed} {
			ask(path, withModel(model, hello), false)
			ask(path, withModel(model, hello), true)
		}
	}
}

// streamedText joins the deltas of a chat or text stream that has to be complete: [DONE] last and exactly once.
func streamedText(t *testing.T, all []event) string {
	t.Helper()
	if len(all) == 0 || all[len(all)-1].data != "[DONE]" {
		t.Fatalf("the stream does not end with [DONE]: %v", all)
	}
	var text strings.Builder
	for _, e := range all[:len(all)-1] {
		var c completion
		if err := json.Unmarshal([]byte(e.data), &c); err != nil {
			t.Fatalf("%v in %q", err, e.data)
		}
		for _, choice := range c.Choices {
			text.WriteString(choice.Delta.Content + choice.Text)
		}
	}
	return text.String()
}

func textCompletions(t *testing.T, s *stack) {
	request := map[string]any{"model": mockLLM, "prompt": "Once upon a time", "max_tokens": 50}
	const want = "Mock response to: Once upon a time..."
	for _, path := range []string{"/llm/mock-llm/completions", "/llm/mock-llm/v1/completions", "/v1/completions", "/llm/v1/completions"} {
		var c completion
		do(t, http.MethodPost, s.gateway+path, request).want(t, http.StatusOK).decode(t, &c)
		if c.Object != "text_completion" || !strings.HasPrefix(c.ID, "cmpl-") || c.Choices[0].Text != want {
			t.Errorf("%s answers %+v", path, c)
		}
		request["stream"] = true
		_, all := stream(t, s.gateway+path, request)
		if text := streamedText(t, all); text != want {
			t.Errorf("%s streams %q", path, text)
		}
		delete(request, "stream")
	}
}

func streamTokenByToken(t *testing.T, s *stack) {
	var all []event
	// The server makes a token every tokenGap. A relay that collects frames hands over several at one moment; how many
	// frames keep a distance of half a gap tells the two apart without asking a clock for exact times. A reader that has no
	// processor meanwhile finds several too, and asks again.
	eventually(t, func() error {
		var resp *http.Response
		resp, all = stream(t, s.gateway+"/llm/mock-gpt/chat/completions", map[string]any{"messages": user("one two three four"), "stream": true})
		if ct := resp.Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/event-stream") {
			t.Errorf("content type %q", ct)
		}
		if text := streamedText(t, all); text != "Mock response to: one two three four..." {
			t.Errorf("text %q", text)
		}
		apart := 0
		for i := 1; i < len(all); i++ {
			if all[i].at.Sub(all[i-1].at) > tokenGap/2 {
				apart++
			}
		}
		if apart < 3 {
			return fmt.Errorf("of %d frames only %d came at a time of their own", len(all), apart)
		}
		return nil
	})
	for _, e := range all {
		if strings.Contains(e.data, `"usage"`) {
			t.Errorf("usage in a stream that did not ask for it: %s", e.data)
		}
	}

	_, all = stream(t, s.gateway+"/llm/mock-llm/chat/completions",
		map[string]any{"messages": user("hi"), "stream": true, "stream_options": map[string]any{"include_usage": true}})
	var last completion
	if err := json.Unmarshal([]byte(all[len(all)-2].data), &last); err != nil || last.Usage == nil || len(last.Choices) != 0 {
		t.Errorf("no usage chunk before [DONE] though asked for: %v %s", err, all[len(all)-2].data)
	}
}

func modelList(t *testing.T, s *stack) {
	for _, path := range []string{"/v1/models", "/llm/v1/models"} {
		var list struct {
			Object string
			Data   []struct{ ID, Object string }
		}
		do(t, http.MethodGet, s.gateway+path, nil).want(t, http.StatusOK).decode(t, &list)
		var ids []string
		for _, m := range list.Data {
			ids = append(ids, m.ID)
			if m.Object != "model" {
				t.Errorf("%s: object %q", m.ID, m.Object)
			}
		}
		slices.Sort(ids)
		if want := []string{slashed, impatient, mockGPT, mockLlama, mockLLM, pair}; list.Object != "list" || !slices.Equal(ids, want) {
			t.Errorf("%s lists %s %v, want %v", path, list.Object, ids, want)
		}
	}
}

func badRequests(t *testing.T, s *stack) {
	f := func(method, path string, body any, status int, code string) {
		t.Helper()
		do(t, method, s.gateway+path, body).wantFailure(t, status, code)
	}
	f("POST", "/llm/nobody/chat/completions", hello, 404, "model_not_found")
	f("POST", "/v1/chat/completions", withModel("nobody", hello), 404, "model_not_found")
	f("POST", "/v1/chat/completions", hello, 400, "model_required")
	f("POST", "/llm/mock-llm/chat/completions", `{"messages": [`, 400, "")
	f("POST", "/v1/chat/completions", `{x`, 400, "")
	f("POST", "/v1/chat/completions", `[]`, 400, "")
	f("POST", "/v1/chat/completions", "", 400, "")
	large := `{"messages":[{"role":"user","content":"` + strings.Repeat("x", 33<<20) + `"}]}`
	eventually(t, func() error { // who is still sending when the gateway's patience is over sees a broken connection
		a, err := send(t, http.MethodPost, s.gateway+"/llm/mock-llm/chat/completions", large)
		if err == nil {
			a.wantFailure(t, http.StatusRequestEntityTooLarge, "")
		}
		return err
	})
	f("GET", "/v1/chat/completions", nil, 405, "method_not_allowed")
	f("DELETE", "/v1/models", nil, 405, "method_not_allowed")
	f("GET", "/nothing/here", nil, 404, "path_not_found")
	if allow := do(t, "GET", s.gateway+"/llm/mock-llm/chat/completions", nil).want(t, 405).header.Get("Allow"); !strings.Contains(allow, "POST") {
		t.Errorf("Allow: %q", allow)
	}
	// What only the model server can judge passes through as it said it.
	a := do(t, "POST", s.gateway+"/llm/mock-llm/chat/completions", map[string]any{"messages": user("x"), "temperature": 9})
	if e := a.wantFailure(t, 400, ""); e.Param != "temperature" {
		t.Errorf("temperature 9: %+v", e)
	}
}

func streamIsABoolean(t *testing.T, s *stack) {
	for _, value := range []any{"false", false, 0, nil} {
		a := do(t, "POST", s.gateway+"/llm/mock-llm/chat/completions", map[string]any{"messages": user("x"), "stream": value})
		a.want(t, http.StatusOK)
		if ct := a.header.Get("Content-Type"); ct != "application/json" {
			t.Errorf("stream %#v gives %s", value, ct)
		}
	}
	_, all := stream(t, s.gateway+"/llm/mock-llm/chat/completions", map[string]any{"messages": user("x"), "stream": "true"})
	streamedText(t, all)
}

func severalModels(t *testing.T, s *stack) {
	for model, name := range map[string]string{mockLLM: "mock-model", mockGPT: "mock-gpt", mockLlama: "mock-llama"} {
		var c completion
		do(t, "POST", s.gateway+"/v1/chat/completions", withModel(model, hello)).want(t, http.StatusOK).decode(t, &c)
		if c.Model != name || c.Choices[0].Message.Content != helloAnswer {
			t.Errorf("%s answers as %q: %+v", model, c.Model, c.Choices)
		}
	}
}

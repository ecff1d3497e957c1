package integration

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
)

// weatherQuestion is a request in Anthropic's way, with further fields.
func weatherQuestion(more map[string]any) map[string]any {
	all := withModel(mockLLM, map[string]any{"messages": user("What is the weather in Paris?"), "max_tokens": 100})
	maps.Copy(all, more)
	return all
}

// messagesAPI asks in every form of the path, and looks at what is kept from the SDKs' users.
func messagesAPI(t *testing.T, s *stack) {
	weather := map[string]any{"tools": []any{map[string]any{"name": "get_weather", "input_schema": map[string]any{
		"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"}}}}}
	var plain, called struct {
		Content []struct {
			Type, Text, Name string
			Input            json.RawMessage
		}
		StopReason string `json:"stop_reason"`
		Usage      struct {
			Input int `json:"input_tokens"`
		}
	}
	for _, path := range []string{"/v1/messages", "/llm/v1/messages", "/llm/mock-llm/messages", "/llm/mock-llm/v1/messages"} {
		a := do(t, "POST", s.gateway+path, weatherQuestion(nil)).want(t, http.StatusOK)
		a.decode(t, &plain)
		if plain.StopReason != "end_turn" || plain.Content[0].Text != "Mock response to: What is the weather in Paris?..." || a.header.Get("Request-Id") == "" {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	do(t, "POST", s.gateway+"/v1/messages", weatherQuestion(weather)).want(t, http.StatusOK).decode(t, &called)
	if called.StopReason != "tool_use" || called.Content[0].Name != "get_weather" || string(called.Content[0].Input) != `{"city":"Paris"}` {
		t.Errorf("%+v", called)
	}

	s.settled(t, mockLLM)
	before := s.scrape(t, s.gateway)
	weather["stream"] = true
	streamed := string(do(t, "POST", s.gateway+"/v1/messages", weatherQuestion(weather)).want(t, http.StatusOK).body)
	if !strings.HasPrefix(streamed, "event: message_start\n") || !strings.HasSuffix(streamed, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n") {
		t.Errorf("stream %s", streamed)
	}
	f := func(metric string, want float64, labels ...string) {
		t.Helper()
		s.awaitGrowth(t, before, want, metric, append(labels, "model", mockLLM)...)
	}
	f("fluidmcp_streams_total", 1, "outcome", "completed")
	f("fluidmcp_tokens_total", float64(called.Usage.Input), "type", "prompt")

	var count struct {
		Tokens int `json:"input_tokens"`
	}
	do(t, "POST", s.gateway+"/v1/messages/count_tokens", weatherQuestion(nil)).want(t, http.StatusOK).decode(t, &count)
	if count.Tokens != plain.Usage.Input {
		t.Errorf("counted %d tokens, used %d", count.Tokens, plain.Usage.Input)
	}
}

// messagesRefused looks at the form of failures, the gateway's own and those of a model server.
func messagesRefused(t *testing.T, s *stack) {
	for code, want := range map[string]answer{
		"model_not_found": do(t, "POST", s.gateway+"/v1/messages", weatherQuestion(map[string]any{"model": "nobody"})).want(t, http.StatusNotFound),
		"model_required":  do(t, "POST", s.gateway+"/v1/messages", weatherQuestion(map[string]any{"model": nil})).want(t, http.StatusBadRequest),
		"":                do(t, "POST", s.gateway+"/v1/messages", weatherQuestion(map[string]any{"messages": []any{}})).want(t, http.StatusBadRequest),
	} {
		var e struct {
			Type  string
			Error struct {
				Message string
				Details struct {
					Code string `json:"error_code"`
				}
			}
		}
		if want.decode(t, &e); e.Type != "error" || e.Error.Message == "" || e.Error.Details.Code != code {
			t.Errorf("%s: %s", code, want.body)
		}
	}
}

package gateway_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// frames of a message as vLLM streams it.
const (
	messageStart = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"c\",\"usage\":{\"input_tokens\":11,\"output_tokens\":0}}}\n\n"
	blockStart   = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"text\",\"text\":\"\"},\"index\":0}\n\n"
	blockDelta   = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"},\"index\":0}\n\n"
	blockStop    = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
	messageDelta = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"input_tokens\":11,\"output_tokens\":4}}\n\n"
	messageStop  = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
)

func TestMessages(t *testing.T) {
	b := newBackend(t, func(c *exchange) {
		if strings.Contains(c.body, `"stream":true`) {
			c.stream(messageStart, blockStart, blockDelta, blockDelta, blockStop, messageDelta, messageStop)
			return
		}
		c.plain(200, `{"id":"c","type":"message","content":[],"usage":{"input_tokens":11,"output_tokens":4}}`)
	})
	f := start(t, nil, fleet.Model{ID: "m", ServedName: "served", Phase: fleet.Ready,
		Backends: []fleet.Backend{{ID: "m-0", URL: b.URL, Routable: true, Weight: 1, APIKey: "backend-secret"}}})
	for i, path := range []string{"/v1/messages", "/llm/v1/messages", "/llm/m/messages", "/llm/m/v1/messages"} {
		a := f.do("POST", path, `{"model":"m","max_tokens":9,"messages":[]}`, "X-Api-Key", "client-secret", "Anthropic-Version", "2023-06-01")
		sent := b.last()
		if a.status != 200 || sent.URL.Path != "/v1/messages" || sent.body != `{"model":"served","max_tokens":9,"messages":[]}` {
			t.Errorf("%s: %d %s; the backend got %s %s", path, a.status, a.body, sent.URL.Path, sent.body)
		}
		if sent.Header.Get("X-Api-Key") != "" || sent.Header.Get("Authorization") != "Bearer backend-secret" || sent.Header.Get("Anthropic-Version") != "2023-06-01" {
			t.Errorf("%s: the backend got the headers %v", path, sent.Header)
		}
		if id := a.header.Get("Request-Id"); id == "" || id != a.header.Get("X-Request-Id") {
			t.Errorf("%s: Request-Id %q", path, id)
		}
		f.awaitMetric(`fluidmcp_tokens_total{model="m",type="prompt"}`, float64(11*(i+1)))
	}
	a := f.post("/v1/messages", `{"model":"m","stream":true}`)
	if want := messageStart + blockStart + blockDelta + blockDelta + blockStop + messageDelta + messageStop; a.body != want || a.err != nil {
		t.Errorf("got %q, %v", a.body, a.err)
	}
	if sent := b.last().body; sent != `{"model":"served","stream":true}` {
		t.Errorf("the backend got %s", sent)
	}
	f.awaitMetric(`fluidmcp_streams_total{model="m",outcome="completed"}`, 1)
	f.awaitMetric(`fluidmcp_tokens_total{model="m",type="prompt"}`, 55)
	f.awaitMetric(`fluidmcp_tokens_total{model="m",type="completion"}`, 20)
	f.awaitMetric(`fluidmcp_time_to_first_token_seconds_count{model="m"}`, 1)
	f.awaitMetric(`fluidmcp_inter_token_seconds_count{model="m"}`, 1)
	if a := f.post("/v1/messages/count_tokens", `{"model":"m"}`); a.status != 200 || b.last().URL.Path != "/v1/messages/count_tokens" {
		t.Errorf("count_tokens: %d, the backend got %s", a.status, b.last().URL.Path)
	}
}

// TestBrokenMessages: SDKs of that API raise what an event named error says, and ignore events without a name.
func TestBrokenMessages(t *testing.T) {
	f := func(name, outcome, want string, play func(c *exchange)) {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, play)
			front := start(t, nil, model("m", b.URL))
			a := front.post("/v1/messages", `{"model":"m","stream":true}`)
			if a.status != 200 || a.err != nil || a.body != want {
				t.Errorf("got %d %q, %v\nwant %q", a.status, a.body, a.err, want)
			}
			front.awaitMetric(`fluidmcp_streams_total{model="m",outcome="`+outcome+`"}`, 1)
		})
	}
	const cut = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"The model server stopped in the middle of the answer. " +
		"What came before is incomplete; send the request again.\",\"details\":{\"error_code\":\"stream_interrupted\"}}}\n\n"
	const begun = messageStart + blockStart + blockDelta
	f("connection lost", "interrupted", begun+cut, func(c *exchange) { c.write(streamHead, chunk(begun)); c.conn.Close() })
	f("clean end without message_stop", "interrupted", begun+blockStop+messageDelta+cut, func(c *exchange) { c.stream(begun, blockStop, messageDelta) })
	f("an end of another API", "interrupted", begun+doneFrame+cut, func(c *exchange) { c.stream(begun, doneFrame) })
	const failure = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"internal_error\",\"message\":\"boom\"}}\n\n"
	f("the server's own error", "error", begun+failure, func(c *exchange) { c.stream(begun, failure) })
	f("the server's own error, then lost", "interrupted", begun+failure+cut, func(c *exchange) { c.write(streamHead, chunk(begun), chunk(failure)); c.conn.Close() })
}

// TestResponsesEnd: a stream of the Responses API that stops before its last event is cut, however cleanly.
func TestResponsesEnd(t *testing.T) {
	event := func(kind, response string) string {
		return "event: " + kind + "\ndata: {\"response\":" + response + ",\"type\":\"" + kind + "\"}\n\n"
	}
	begun := event("response.created", "{}")
	f := func(outcome, last string) {
		t.Helper()
		b := newBackend(t, func(c *exchange) { c.stream(begun, last) })
		front := start(t, nil, model("m", b.URL))
		a := front.post("/v1/responses", `{"model":"m","stream":true}`)
		rest, ok := strings.CutPrefix(a.body, begun+last)
		if !ok || (rest != "") != (outcome == "interrupted") || rest != "" && !strings.HasSuffix(rest, interrupted) {
			t.Errorf("%s: %q", outcome, a.body)
		}
		front.awaitMetric(`fluidmcp_streams_total{model="m",outcome="`+outcome+`"}`, 1)
	}
	f("completed", event("response.completed", `{"usage":{"input_tokens":4,"output_tokens":2}}`))
	f("completed", event("response.incomplete", "{}"))
	f("error", event("response.failed", "{}"))
	f("error", "event: error\ndata: {\"type\":\"error\",\"message\":\"boom\"}\n\n")
	f("interrupted", event("response.output_item.done", "{}"))
	f("interrupted", doneFrame)
}

// TestMessagesRefused: the gateway's own refusals have the form that the SDKs of the API read.
func TestMessagesRefused(t *testing.T) {
	f := start(t, nil, fleet.Model{ID: "off", Phase: fleet.Stopped}, fleet.Model{ID: "on", Phase: fleet.Ready})
	refused := func(path, body string, status int, kind, code string) {
		t.Helper()
		resp := f.open(t.Context(), "POST", path, body)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		var e struct {
			Type  string
			Error struct {
				Type, Message string
				Details       struct {
					Code string `json:"error_code"`
				}
			}
		}
		if json.Unmarshal(text, &e) != nil || resp.StatusCode != status || e.Type != "error" || e.Error.Type != kind || e.Error.Message == "" || e.Error.Details.Code != code {
			t.Errorf("%s %s: %d %s, want %d %s %s", path, body, resp.StatusCode, text, status, kind, code)
		}
	}
	refused("/v1/messages", `{"model":"nobody"}`, 404, "not_found_error", "model_not_found")
	refused("/llm/nobody/messages", `{}`, 404, "not_found_error", "model_not_found")
	refused("/llm/nobody/v1/messages/count_tokens", `{}`, 404, "not_found_error", "model_not_found")
	refused("/v1/messages", `[]`, 400, "invalid_request_error", "invalid_json")
	refused("/v1/messages", `{"model":"off"}`, 503, "overloaded_error", "model_stopped")
}

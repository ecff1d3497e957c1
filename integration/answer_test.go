package integration

import (
	"encoding/json"
	"net/http"
	"testing"
)

// answer is a whole HTTP answer.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// want fails the test unless the answer has the status.
func (a answer) want(t *testing.T, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d; body %s", a.status, status, a.body)
	}
	return a
}

// decode reads the body as JSON.
func (a answer) decode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal(a.body, into); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

// failure is the inside of the OpenAI error envelope.
type failure struct {
	Message *string `json:"message"`
	Type    *string `json:"type"`
	Param   any     `json:"param"`
	Code    any     `json:"code"`
}

// wantFailure checks status and envelope and returns the envelope.
func (a answer) wantFailure(t *testing.T, status int, code string) failure {
	t.Helper()
	a.want(t, status)
	return parseFailure(t, a.body, code)
}

// parseFailure checks that body is an error envelope with the four keys of the OpenAI API and the code.
func parseFailure(t *testing.T, body []byte, code string) failure {
	t.Helper()
	var envelope map[string]map[string]any
	if err := json.Unmarshal(body, &envelope); err != nil {
		t.Fatalf("not an error envelope: %v in %s", err, body)
	}
	for _, key := range []string{"message", "type", "param", "code"} {
		if _, ok := envelope["error"][key]; !ok {
			t.Fatalf("no error.%s in %s", key, body)
		}
	}
	var f struct{ Error failure }
	if err := json.Unmarshal(body, &f); err != nil || f.Error.Message == nil || *f.Error.Message == "" || f.Error.Type == nil {
		t.Fatalf("incomplete error envelope (%v): %s", err, body)
	}
	if code != "" && f.Error.Code != code {
		t.Fatalf("error.code %v, want %s: %s", f.Error.Code, code, body)
	}
	return f.Error
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

func user(text string) []message { return []message{{"user", text}} }

// completion is what the scenarios read of a chat or text completion, whole or one chunk of it.
type completion struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Model   string `json:"model"`
	Choices []struct {
		Message      message `json:"message"`
		Delta        message `json:"delta"`
		Text         string  `json:"text"`
		FinishReason string  `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
		Total      int `json:"total_tokens"`
	} `json:"usage"`
}

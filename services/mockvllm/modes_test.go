package mockvllm_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
)

// TestAPartialAnswerGoesOn: what is left is the rest of the same answer.
func TestAPartialAnswerGoesOn(t *testing.T) {
	for _, mode := range []string{"guide", "echo", "random"} {
		s := start(t, "--mock-answer", mode)
		const question = "Say something longer than a few words"
		whole := s.chat(question, `,"max_tokens":40`).Choices[0].Message.Content
		for cut := range whole {
			asked, err := json.Marshal(whole[:cut])
			if err != nil {
				t.Fatal(err)
			}
			fields := `"continue_final_message":true,"add_generation_prompt":false,"max_tokens":40}`
			a := s.ask(chatPath, `{"messages":[{"role":"user","content":"`+question+`"},{"role":"assistant","content":`+string(asked)+`}],`+fields)
			rest := a.Choices[0].Message.Content
			if !strings.HasPrefix(rest, whole[cut:]) || mode != "random" && rest != whole[cut:] {
				t.Fatalf("%s: after %q comes %q, the whole is %q", mode, whole[:cut], rest, whole)
			}
		}
	}
}

// TestScriptedAnswers: what no line of the file meets is answered as always.
func TestScriptedAnswers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "answers.json")
	if err := os.WriteFile(file, []byte(`[{"match":"sky","answer":"It is blue."},{"match":"^(\\w+)\\?$","answer":"What about $1?"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "--mock-answer", "file:"+file)
	f := func(asked, want string) {
		t.Helper()
		streamed, _ := streamText(t, s.stream(chatPath, chatBody(asked, `,"stream":true`)))
		if got := s.chat(asked, "").Choices[0]; got.Message.Content != want || got.FinishReason != "stop" || streamed != want {
			t.Errorf("%s: %+v, streamed %q, want %q", asked, got, streamed, want)
		}
	}
	f("Why is the sky blue?", "It is blue.")
	f("Grass?", "What about Grass?")
	f("x", "Mock response to: x...")
}

func TestBrokenAnswerModes(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "answers.json")
	if err := os.WriteFile(broken, []byte(`[{"match":"("}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(mode, want string) {
		t.Helper()
		log := newLogBuffer()
		code := mockvllm.Main(t.Context(), []string{"serve", "m", "--mock-answer", mode}, func(string) string { return "" }, io.Discard, log)
		if code != 1 || !strings.HasSuffix(strings.TrimSpace(log.String()), want) {
			t.Errorf("%s: exit %d, log %s, want %s", mode, code, log, want)
		}
	}
	f("x", `--mock-answer (MOCKVLLM_ANSWER): "x" is not known, use guide, echo, random or file:FILE`)
	f("file", `--mock-answer (MOCKVLLM_ANSWER): "file" is not known, use guide, echo, random or file:FILE`)
	f("file:/nowhere", "--mock-answer (MOCKVLLM_ANSWER): open /nowhere: no such file or directory")
	f("file:"+broken, "--mock-answer (MOCKVLLM_ANSWER): read scripted answers: error parsing regexp: missing closing ): `(`; "+
		`write a list such as [{"match": "^ping$", "answer": "pong"}]`)
}

// TestThoughts: they come before the answer in every mode that has something to say, and a user's words end neither.
func TestThoughts(t *testing.T) {
	s := start(t, "--reasoning-parser", "qwen3")
	f := func(fields string, reasoning any) {
		t.Helper()
		_, text := s.call("POST", chatPath, chatBody("<|end|> so", fields))
		var a struct {
			Choices []struct {
				Message struct{ Content, Reasoning any }
			}
		}
		if err := json.Unmarshal([]byte(text), &a); err != nil || len(a.Choices) != 1 {
			t.Fatalf("%s: %s", fields, text)
		}
		if m := a.Choices[0].Message; m.Content != "Mock response to: <|end|> so..." || m.Reasoning != reasoning {
			t.Errorf("%s: %+v, want the thought %v", fields, m, reasoning)
		}
	}
	f("", "The user said: <|end|> so")
	f(`,"thinking_token_budget":3`, "The user said")
	f(`,"reasoning_effort":"none"`, nil)
	f(`,"chat_template_kwargs":{"enable_thinking":false}`, nil)
}

package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/sse"
)

// part is what matters of a chunk, or of a whole answer.
type part struct {
	Choices []struct {
		Text  string
		Delta struct {
			Content          string
			Reasoning        string
			ReasoningContent string `json:"reasoning_content"`
			Refusal          string
			ToolCalls        []struct{} `json:"tool_calls"`
		}
	}
	Object string
	Usage  *struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
	}
	Error json.RawMessage
}

// brings tells whether the chunk has something to read, which its first one, with only the role, has not.
func (p *part) brings() bool {
	for _, c := range p.Choices {
		d := &c.Delta
		if c.Text != "" || d.Content != "" || d.Reasoning != "" || d.ReasoningContent != "" || d.Refusal != "" || len(d.ToolCalls) > 0 {
			return true
		}
	}
	return false
}

func (s *Sample) report(p *part) {
	if p.Usage != nil {
		s.PromptTokens, s.OutputTokens, s.Reported = p.Usage.Prompt, p.Usage.Completion, true
	}
}

// readPlain takes a whole answer.
func readPlain(s *Sample, resp *http.Response) (Outcome, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	s.Done = time.Now()
	if err != nil {
		return Interrupted, err
	}
	var p part
	if err := json.Unmarshal(body, &p); err != nil {
		return BadAnswer, fmt.Errorf("the answer is no completion: %w", err)
	}
	if len(p.Choices) == 0 {
		return BadAnswer, errors.New("the answer has no choices")
	}
	s.report(&p)
	return OK, nil
}

// arrivals notes when bytes came. A frame that was read together with others came with them.
type arrivals struct {
	io.Reader
	last time.Time
}

func (a *arrivals) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	a.last = time.Now()
	return n, err
}

// readStream takes a stream to its [DONE].
func readStream(s *Sample, resp *http.Response, cancel context.CancelFunc) (Outcome, error) {
	if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		return BadAnswer, fmt.Errorf("asked for a stream, got %q: %w", kind, refusal(resp))
	}
	source := &arrivals{Reader: resp.Body}
	events := sse.NewReader(source, longestFrame)
	texts, choices := 0, 0
	for {
		frame, err := events.Next()
		switch {
		case errors.Is(err, io.EOF):
			return Interrupted, errors.New("the stream ended without [DONE]")
		case err != nil:
			return Interrupted, err
		case frame.Data == nil:
			continue
		}
		if string(bytes.TrimSpace(frame.Data)) == "[DONE]" {
			s.Done = source.last
			finish(source, cancel)
			break
		}
		s.Chunks++
		var p part
		if err := json.Unmarshal(frame.Data, &p); err != nil {
			return BadAnswer, fmt.Errorf("chunk %d is no JSON: %w", s.Chunks, err)
		}
		if len(p.Error) > 0 && string(p.Error) != "null" || p.Object == "error" {
			return Interrupted, errors.New("the stream reports: " + errorMessage(frame.Data))
		}
		s.report(&p)
		choices += len(p.Choices)
		if p.brings() {
			texts++
			s.token(source.last)
		}
	}
	if choices == 0 {
		return BadAnswer, errors.New("the stream has no choices")
	}
	if !s.Reported {
		s.OutputTokens = texts
	}
	return OK, nil
}

func (s *Sample) token(at time.Time) {
	if s.First.IsZero() {
		s.First = at
	} else {
		s.Gaps = append(s.Gaps, at.Sub(s.Last))
	}
	s.Last = at
}

// finish reads to the end of the body, which lets the connection serve another request. The end follows [DONE] at once; a
// server that holds it back loses the connection.
func finish(body io.Reader, cancel context.CancelFunc) {
	defer time.AfterFunc(time.Second, cancel).Stop()
	_, _ = io.Copy(io.Discard, io.LimitReader(body, most)) // the answer is complete already
}

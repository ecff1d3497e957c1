package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// outcome is what a client takes an answer for. Anything but these three is a lie, and fails the test.
type outcome string

const (
	whole       outcome = "whole"       // all of the answer
	interrupted outcome = "interrupted" // a stream that says that it broke, without [DONE]
	refused     outcome = "refused"     // an error, and nothing of an answer
)

// tally counts outcomes.
type tally struct{ plain, streams map[outcome]int }

// only fails the test when a request had another outcome than those allowed.
func only(t *testing.T, kind string, got map[outcome]int, allowed ...outcome) {
	t.Helper()
	for o := range got {
		if !slices.Contains(allowed, o) {
			t.Errorf("%s: %v, want only %v", kind, got, allowed)
		}
	}
}

// allWhole fails the test unless every request got its answer.
func (got tally) allWhole(t *testing.T) {
	t.Helper()
	only(t, "plain requests", got.plain, whole)
	only(t, "streams", got.streams, whole)
}

// traffic sends plain requests and as many streams, at most 20 at a time, and waits for all.
func (c *chaos) traffic(t *testing.T, each int) tally {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	got := tally{map[outcome]int{}, map[outcome]int{}}
	turns := make(chan struct{}, 20)
	for i := range 2 * each {
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			text, into := fmt.Sprintf("Request %d", i), got.plain
			var o outcome
			if i%2 == 0 {
				o, into = c.streamed(t, text, 8, func() {}), got.streams
			} else {
				o = c.plain(t, text, 8)
			}
			mu.Lock()
			defer mu.Unlock()
			into[o]++
		})
	}
	all.Wait()
	return got
}

// exactly asks for exactly as many tokens.
func exactly(text string, tokens int, stream bool) map[string]any {
	return map[string]any{"messages": user(text), "stream": stream, "min_tokens": tokens, "max_tokens": tokens, "seed": 1}
}

func (c *chaos) chat() string { return c.gateway + "/llm/" + trio + "/chat/completions" }

// plain sends one request that is not streamed.
func (c *chaos) plain(t *testing.T, text string, tokens int) outcome {
	a, err := send(t, http.MethodPost, c.chat(), exactly(text, tokens, false))
	if err != nil {
		t.Errorf("no answer to %q: %v", text, err)
		return ""
	}
	if a.status != http.StatusOK {
		return refusal(t, a)
	}
	var got completion
	if err := json.Unmarshal(a.body, &got); err != nil || len(got.Choices) != 1 || got.Usage == nil || got.Usage.Completion != tokens {
		t.Errorf("not the whole answer (%v): %s", err, a.body)
		return ""
	}
	return whole
}

// refusal checks that an error is one of the gateway's in this house: clear, and never blaming the client.
func refusal(t *testing.T, a answer) outcome {
	var envelope struct{ Error *failure }
	err := json.Unmarshal(a.body, &envelope)
	switch {
	case err != nil || envelope.Error == nil || envelope.Error.Message == nil || envelope.Error.Code == nil:
		t.Errorf("status %d without an error that a client can read: %s", a.status, a.body)
		return ""
	case a.status != http.StatusBadGateway && a.status != http.StatusServiceUnavailable && a.status != http.StatusGatewayTimeout:
		t.Errorf("status %d for a fault between gateway and server: %s", a.status, a.body)
		return ""
	case a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") == "":
		t.Errorf("a 503 without Retry-After: %s", a.body)
		return ""
	}
	return refused
}

// streamed sends one request that is streamed and calls begun with the first piece of text, or at the end when none came.
func (c *chaos) streamed(t *testing.T, text string, tokens int, begun func()) outcome {
	begun = sync.OnceFunc(begun)
	defer begun()
	resp, err := open(t, http.MethodPost, c.chat(), exactly(text, tokens, true))
	if err != nil {
		t.Errorf("no answer to %q: %v", text, err)
		return ""
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		a, err := read(resp)
		if err != nil {
			t.Errorf("a refusal broke: %v", err)
			return ""
		}
		return refusal(t, a)
	}
	var seen []string
	finished := false
	err = events(resp.Body, func(e event) {
		seen = append(seen, e.data)
		var got completion
		if json.Unmarshal([]byte(e.data), &got) == nil && len(got.Choices) > 0 {
			finished = finished || got.Choices[0].FinishReason != ""
			if got.Choices[0].Delta.Content != "" {
				begun()
			}
		}
	})
	all := strings.Join(seen, "\n")
	last := ""
	if len(seen) > 0 {
		last = seen[len(seen)-1]
	}
	switch done := strings.Contains(all, "[DONE]"); {
	case err != nil:
		t.Errorf("the stream of %q broke without a word: %v after\n%s", text, err, all)
	case last == "[DONE]" && finished:
		return whole
	case !done && strings.Contains(last, `"code":"stream_interrupted"`):
		return interrupted
	default:
		t.Errorf("the stream of %q looks neither whole nor interrupted:\n%s", text, all)
	}
	return ""
}

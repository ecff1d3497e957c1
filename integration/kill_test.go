package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// killedInFlight kills a model server while it answers three plain requests and two streams. Nobody may take what they
// got for a whole answer, and afterwards the model answers again without anybody touching the gateway.
func killedInFlight(t *testing.T, s *stack) {
	const plain, streams = 3, 2
	const tokens = 200 // half a minute's worth: no answer ends before the kill
	s.settled(t, mockGPT)
	before, restarts := s.scrape(t, s.gateway), s.status(t, mockGPT).Restarts
	url := s.gateway + "/llm/mock-gpt/chat/completions"

	answers := make(chan answer, plain)
	for range plain {
		go func() {
			a, err := send(t, "POST", url, exactly("plain", tokens, false))
			if err != nil {
				t.Error(err)
			}
			answers <- a
		}()
	}
	running := make(chan struct{}, streams)
	broken := make(chan []string, streams)
	for range streams {
		go func() { broken <- streamUntilEnd(t, url, exactly("stream", tokens, true), running) }()
	}
	for range streams {
		<-running
	}
	eventually(t, func() error {
		// Asked of the server itself: the gateway counts a request before it has reached one.
		if n := s.scrape(t, s.mocks[mockGPT]).sum("vllm:num_requests_running"); n != plain+streams {
			return fmt.Errorf("%v requests run at the server", n)
		}
		return nil
	})

	s.kill(t, mockGPT)

	for range plain {
		a := <-answers
		if a.status != http.StatusBadGateway && a.status != http.StatusServiceUnavailable {
			t.Errorf("a plain request got %d: %s", a.status, a.body)
		}
		parseFailure(t, a.body, "")
	}
	for range streams {
		got := <-broken
		last := got[len(got)-1]
		if e := parseFailure(t, []byte(last), "stream_interrupted"); *e.Type != "upstream_error" {
			t.Errorf("type %q", *e.Type)
		}
		for _, data := range got {
			if data == "[DONE]" {
				t.Errorf("a cut stream says [DONE]: %v", got)
			}
		}
	}
	f := func(metric string, want float64, labels ...string) {
		t.Helper()
		s.awaitGrowth(t, before, want, metric, append(labels, "model", mockGPT)...)
	}
	f("fluidmcp_streams_total", streams, "outcome", "interrupted")
	f("fluidmcp_requests_total", plain+streams)
	f("fluidmcp_errors_total", plain+streams)
	// Of a plain answer nothing had come yet, so on a connection that was used before the request may be sent once more,
	// and then fails to connect.
	connect := s.scrape(t, s.gateway).sum("fluidmcp_errors_total", "model", mockGPT, "reason", "connect") -
		before.sum("fluidmcp_errors_total", "model", mockGPT, "reason", "connect")
	if connect > plain {
		t.Errorf("%v errors of reason connect for %d plain requests", connect, plain)
	}
	f("fluidmcp_errors_total", plain+streams-connect, "reason", "interrupted")

	s.revive(t, mockGPT)
	eventually(t, func() error { return s.ask(t, mockGPT) })
	if s.processes {
		if m := s.status(t, mockGPT); m.Restarts != restarts+1 || m.Phase != "ready" {
			t.Errorf("after the crash: %+v", m)
		}
	}
}

// streamUntilEnd asks for a stream that will break and reads it, says so on running once text came, and returns the data of its events.
func streamUntilEnd(t *testing.T, url string, body any, running chan<- struct{}) []string {
	var got []string
	resp, err := open(t, "POST", url, body)
	if err != nil {
		t.Error(err)
		running <- struct{}{}
		return []string{"{}"}
	}
	defer resp.Body.Close()
	started := false
	err = events(resp.Body, func(e event) {
		got = append(got, e.data)
		var c completion
		if !started && json.Unmarshal([]byte(e.data), &c) == nil && len(c.Choices) > 0 && c.Choices[0].Delta.Content != "" {
			started = true
			running <- struct{}{}
		}
	})
	if err != nil {
		t.Errorf("the stream broke without a word: %v after %s", err, strings.Join(got, " "))
	}
	return got
}

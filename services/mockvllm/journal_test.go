package mockvllm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
)

// journal waits until so many requests are over and returns those with the given id, or all without one.
func (s *server) journal(over int, id string) []journal.Record {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		_, text := s.call("GET", "/mock/requests?request_id="+id, "")
		var l journal.List
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			s.t.Fatalf("%v in %s", err, text)
		}
		if l.Recorded >= over {
			return l.Requests
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%d requests are over, want %d", l.Recorded, over)
		}
	}
}

func TestJournal(t *testing.T) {
	s := start(t)
	before := time.Now()
	s.call("POST", chatPath, chatBody("x", `,"max_tokens":3`), "X-Request-Id", "plain")
	frames := s.stream(chatPath, chatBody("x", `,"max_tokens":5,"stream":true,"stream_options":{"include_usage":true},"request_id":"streamed"`))
	s.stream(completionPath, `{"prompt":["a","b"],"max_tokens":2,"stream":true,"request_id":"two"}`)
	s.call("POST", chatPath, "{", "X-Request-Id", "torn")
	s.call("GET", "/v1/models", "")
	s.call("GET", "/health", "")
	all := s.journal(5, "")
	type brief struct {
		ID, Method, Path       string
		Stream                 bool
		Status, Chunks, Tokens int
		Outcome                string
	}
	var got []brief
	last := before
	for _, r := range all {
		got = append(got, brief{r.RequestID, r.Method, r.Path, r.Stream, r.Status, r.Chunks, r.Tokens, r.Outcome})
		if r.Stream != (r.FirstToken != nil) {
			t.Errorf("%s: first token at %v", r.RequestID, r.FirstToken)
		}
		at := []time.Time{last, r.ReceivedAt, r.FinishedAt}
		if r.FirstToken != nil {
			at = []time.Time{last, r.ReceivedAt, *r.FirstToken, r.FinishedAt}
		}
		for i := 1; i < len(at); i++ {
			if at[i].Round(0).Before(at[i-1].Round(0)) {
				t.Errorf("%s: times are out of order: %v", r.RequestID, at)
			}
		}
		last = r.FinishedAt
	}
	want := []brief{
		{"plain", "POST", chatPath, false, 200, 0, 3, "done"},
		{"streamed", "POST", chatPath, true, 200, len(frames) - 1, 5, "done"},
		{"two", "POST", completionPath, true, 200, 4, 4, "done"},
		{"torn", "POST", chatPath, false, 400, 0, 0, "refused"},
		{"", "GET", "/v1/models", false, 200, 0, 0, "done"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if one := s.journal(5, "two"); len(one) != 1 || one[0].RequestID != "two" {
		t.Errorf("filtered: %+v", one)
	}
	for _, id := range []string{"cmpl-two", "chatcmpl-streamed"} { // as answers tell them
		if one := s.journal(5, id); len(one) != 1 || !strings.HasSuffix(id, "-"+one[0].RequestID) {
			t.Errorf("%s: %+v", id, one)
		}
	}
	if status, _ := s.call("DELETE", "/mock/requests", ""); status != 204 {
		t.Errorf("DELETE: %d", status)
	}
	if left := s.journal(0, ""); len(left) != 0 {
		t.Errorf("after DELETE: %+v", left)
	}
}

func TestJournalOfClientsThatLeft(t *testing.T) {
	s := start(t, "--mock-itl", "1h")
	ctx, leave := context.WithCancel(t.Context())
	streamed := s.doContext(ctx, "POST", chatPath, endless(`,"stream":true`), "X-Request-Id", "streamed")
	if _, err := streamed.Body.Read(make([]byte, 1)); err != nil { // the role, and with it the first token
		t.Fatal(err)
	}
	left := make(chan error, 1)
	go func() {
		resp, err := s.client.Do(s.request(ctx, "POST", chatPath, endless(""), "X-Request-Id", "plain"))
		if err == nil {
			err = resp.Body.Close()
		}
		left <- err
	}()
	s.waitMetric(running, "2")
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the client that left got %v", err)
	}
	for id, status := range map[string]int{"streamed": 200, "plain": 0} {
		if all := s.journal(2, id); len(all) != 1 || all[0].Outcome != journal.Aborted || all[0].Status != status || all[0].Tokens > 1 {
			t.Errorf("%s: %+v", id, all)
		}
	}
}

func TestJournalForgetsTheOldest(t *testing.T) {
	s := start(t, "--disable-uvicorn-access-log")
	const kept, more = 10_000, 3
	for i := range kept + more {
		s.call("GET", fmt.Sprintf("/nope/%d", i), "")
	}
	all := s.journal(kept+more, "")
	if len(all) != kept || all[0].Path != fmt.Sprintf("/nope/%d", more) || all[kept-1].Path != fmt.Sprintf("/nope/%d", kept+more-1) {
		t.Errorf("%d kept, from %+v to %+v", len(all), all[0], all[len(all)-1])
	}
}

// stats returns the counts once nothing is in flight.
func (s *server) stats() journal.Stats {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		var stats journal.Stats
		s.decode("/mock/stats", &stats)
		if stats.InFlight == 0 {
			return stats
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("in flight: %+v", stats)
		}
	}
}

// decode reads an answer of the mock's own.
func (s *server) decode(path string, to any) {
	s.t.Helper()
	_, text := s.call("GET", path, "")
	if err := json.Unmarshal([]byte(text), to); err != nil {
		s.t.Fatalf("%v in %s", err, text)
	}
}

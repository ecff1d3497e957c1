package mockvllm_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVirtualTime(t *testing.T) {
	s := start(t, "--mock-clock", "virtual", "--mock-ttft", "1h", "--mock-itl", "1h")
	answered := make(chan answer, 1)
	go func() { answered <- s.chat("Hello", `,"max_tokens":3`) }()
	s.waitMetric(running, "1")
	advance := func(by string) string {
		t.Helper()
		status, text := s.call("POST", "/mock/clock?advance="+by, "")
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
		return text
	}
	advance("2h30m")
	s.waitMetric(counter("generation_tokens_total"), "2")
	select {
	case a := <-answered:
		t.Fatalf("answered before its time: %+v", a)
	default:
	}
	now := advance("30m")
	if a := <-answered; a.Usage.Completion != 3 {
		t.Errorf("%d tokens", a.Usage.Completion)
	}
	s.waitMetric(counter("e2e_request_latency_seconds_sum"), "10800")
	if _, text := s.call("GET", "/mock/clock", ""); text != now || !strings.HasPrefix(text, `{"virtual":true,"now":"`) {
		t.Errorf("it is %s, and was %s", text, now)
	}
	for _, path := range []string{"/mock/clock", "/mock/clock?advance=x", "/mock/clock?advance=-1h"} {
		if status, text := s.call("POST", path, ""); status != http.StatusBadRequest || !strings.Contains(text, "expected a time") {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}

func TestTheClockOfTheMachine(t *testing.T) {
	s := start(t)
	if status, text := s.call("GET", "/mock/clock", ""); status != http.StatusOK || !strings.HasPrefix(text, `{"virtual":false,"now":"`) {
		t.Errorf("%d %s", status, text)
	}
	if status, text := s.call("POST", "/mock/clock?advance=1h", ""); status != http.StatusBadRequest || !strings.Contains(text, "--mock-clock virtual") {
		t.Errorf("%d %s", status, text)
	}
}

// TestVirtualTimeWaitsForWhomItWoke: an answer that a fault has delayed begins when the delay ends, however far the clock is moved,
// and of a trickle each piece follows the one before.
func TestVirtualTimeWaitsForWhomItWoke(t *testing.T) {
	s := start(t, "--mock-clock", "virtual", "--mock-ttft", "20s", "--mock-itl", "1s")
	f := func(path, body, fault, by string) {
		t.Helper()
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			s.call("POST", path, body, "X-Mock-Fault", fault)
		}()
		s.waitBusy()
		s.call("POST", "/mock/clock?advance="+by, "")
		<-answered
		s.call("POST", "/mock/clock?advance=1m", "") // nobody holds it
	}
	const plain = `{"prompt":"Hello","max_tokens":4}`
	for range 3 {
		f(completionPath, plain, "delay=30s", "53s")
		f(completionPath, `{"prompt":"Hello","max_tokens":4,"use_beam_search":true,"n":2}`, "delay=30s", "53s")
		f(chatPath, chatBody("Hello", `,"stream":true,"max_tokens":4`), "delay=30s", "53s")
		f(completionPath, plain, "delay=30s,status=500,message=no,trickle=5", "60s")
	}
}

func TestAProfile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "profile.json")
	if err := os.WriteFile(path, []byte(`{"prefill_tokens_per_second": 1, "step_base_us": 1000000}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "--mock-clock", "virtual", "--mock-profile", path, "--mock-time-scale", "2")
	answered := make(chan answer, 1)
	go func() { answered <- s.ask(completionPath, `{"prompt":[5,5,5,5],"max_tokens":3}`) }()
	s.waitMetric(running, "1")
	s.call("POST", "/mock/clock?advance=1m", "") // a step of 5 s and two of 1 s, twice as long
	<-answered
	s.waitMetric(counter("request_inference_time_seconds_sum"), "14")
}

func TestAnswersThatDoNotFitTogetherArePreempted(t *testing.T) {
	// Answers of random words differ from each other: they share no blocks.
	s := start(t, "--max-model-len", "256", "--block-size", "16", "--num-gpu-blocks-override", "18", "--mock-answer", "random")
	if a := s.ask(completionPath, `{"prompt":[5,5,5,5],"max_tokens":250,"ignore_eos":true,"n":2}`); a.Usage.Completion != 500 {
		t.Errorf("%d tokens", a.Usage.Completion)
	}
	s.waitMetric(counter("num_preemptions_total"), "1")
	s.waitMetric(success("length"), "2")
	s.waitMetric(cache, "0")
}

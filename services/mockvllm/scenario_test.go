package mockvllm_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
)

// shipped plays a scenario of examples/scenarios on a virtual clock.
func shipped(t *testing.T, name string) *server {
	t.Helper()
	return start(t, "--mock-clock", "virtual", "--mock-scenario", filepath.Join("../../examples/scenarios", name))
}

func TestShippedScenarios(t *testing.T) {
	files, err := filepath.Glob("../../examples/scenarios/*")
	if err != nil || len(files) != 4 {
		t.Errorf("%v: %q, and not all of them are played here", err, files)
	}
	slow := shipped(t, "slow.json")
	answered := make(chan string, 1)
	go func() { answered <- slow.outcomes(1) }()
	slow.waitBusy()
	slow.call("POST", "/mock/clock?advance=4900ms", "")
	if n := slow.busy(); n != 1 {
		t.Errorf("%d in flight before the time", n)
	}
	for done := false; !done; {
		slow.call("POST", "/mock/clock?advance=100ms", "")
		select {
		case got := <-answered:
			done = true
			if got != "o" {
				t.Errorf("slow: %s", got)
			}
		default:
		}
	}
	if got := shipped(t, "flaky.json").outcomes(100); strings.Count(got, "x") != 20 || strings.Count(got, "o") != 80 {
		t.Errorf("flaky: %s", got)
	}
	limited := shipped(t, "rate-limit.json")
	if got := limited.outcomes(12); got != "ooooooooooll" {
		t.Errorf("rate limit: %s", got)
	}
	limited.call("POST", "/mock/clock?advance=1m", "")
	if got := limited.outcomes(1); got != "o" {
		t.Errorf("rate limit, a minute later: %s", got)
	}
}

func TestAnOutage(t *testing.T) {
	s := shipped(t, "outage.yaml")
	if got := s.outcomes(1); got != "o" {
		t.Errorf("before it: %s", got)
	}
	s.call("POST", "/mock/clock?advance=30s", "")
	if a := s.over(post(chatPath, chatBody("Hello", `,"stream":true`))); a.whole || len(a.chunks) != 4 {
		t.Errorf("streams: %q", a.chunks)
	}
	s.call("POST", "/mock/clock?advance=91s", "")
	if got := s.outcomes(1); got != "o" {
		t.Errorf("after it: %s", got)
	}
}

// busy is how many requests are in flight now.
func (s *server) busy() int64 {
	s.t.Helper()
	var stats journal.Stats
	s.decode("/mock/stats", &stats)
	return stats.InFlight
}

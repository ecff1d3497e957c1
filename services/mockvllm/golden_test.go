package mockvllm_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/golden"
)

const goldenDir = "testdata/golden"

// goldenFlags have the mock answer as the model that was recorded.
var goldenFlags = []string{"--mock-answer", "random"}

// TestGolden replays the recorded exchanges, each as a subtest group/name; head/group compares the spelling and order of the
// headers in a group.
func TestGolden(t *testing.T) {
	cases, err := golden.ReadAll(goldenDir)
	if err != nil {
		t.Fatal(err)
	}
	play := startProfiles(t)
	heads := map[string][]golden.Case{}
	for _, c := range cases {
		heads[c.Group] = append(heads[c.Group], c)
		t.Run(c.ID(), func(t *testing.T) {
			if diff := c.Difference(play(t, c)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for group, cases := range heads {
		t.Run("head/"+group, func(t *testing.T) {
			for _, c := range cases {
				if diff := c.HeadDifference(play(t, c)); diff != "" {
					t.Errorf("%s: %s", c.Name, diff)
					return
				}
			}
		})
	}
}

// startProfiles starts a mock for each profile and returns what plays a case, once.
func startProfiles(t *testing.T) func(*testing.T, golden.Case) golden.Answer {
	t.Helper()
	common, profiles, err := golden.ReadProfiles(goldenDir + "/servers.json")
	if err != nil {
		t.Fatal(err)
	}
	addrs := map[string]string{}
	for _, p := range profiles {
		addrs[p.Name] = startProfile(t, common, p)
	}
	answers := map[string]golden.Answer{}
	return func(t *testing.T, c golden.Case) golden.Answer {
		t.Helper()
		if a, played := answers[c.ID()]; played {
			return a
		}
		addr, known := addrs[c.Server]
		if !known {
			t.Fatal("servers.json has no server " + c.Server)
		}
		a, err := c.Play(t.Context(), addr)
		if err != nil {
			t.Fatal(err)
		}
		answers[c.ID()] = a
		return a
	}
}

// startProfile returns the address of a mock that runs until the test ends.
func startProfile(t *testing.T, common []string, p golden.Profile) string {
	t.Helper()
	args := slices.Concat([]string{"serve"}, common, p.Flags, goldenFlags, []string{"--host", "127.0.0.1", "--port", "0"})
	ctx, stop := context.WithCancel(context.Background())
	log, exited := newLogBuffer(), make(chan int, 1)
	go func() {
		exited <- mockvllm.Main(ctx, args, func(name string) string { return p.Env[name] }, log, log)
		stop()
	}()
	addr := log.after(ctx, "Starting vLLM server on http://")
	if addr == "" {
		t.Fatalf("server %s did not start:\n%s", p.Name, log)
	}
	t.Cleanup(func() {
		stop()
		if code := <-exited; code != 0 {
			t.Errorf("server %s: exit code %d; log:\n%s", p.Name, code, log)
		}
	})
	return addr
}

// after returns what follows part in the first line that holds it, "" when ctx ends before there is one.
func (b *logBuffer) after(ctx context.Context, part string) string {
	for {
		b.mu.Lock()
		log, grown := b.text.String(), b.grown
		b.mu.Unlock()
		if _, rest, ok := strings.Cut(log, part); ok {
			if line, _, whole := strings.Cut(rest, "\n"); whole {
				return strings.TrimSpace(line)
			}
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ""
		}
	}
}

// TestWords compares letter by letter what the masks hide: what the reference model itself says, by likelihood, by chance from a seed,
// up to a stop string and under a grammar, and how likely that is.
func TestWords(t *testing.T) {
	cases, err := golden.ReadAll(goldenDir)
	if err != nil {
		t.Fatal(err)
	}
	play := startProfiles(t)
	varies := regexp.MustCompile(`"(id|request_id|created|system_fingerprint)":("[^"]*"|\d+)`)
	left := map[string]bool{"chat/prompt-logprobs": true, "chat-stream-2/stop-string": true, "completions/echo-logprobs": true,
		"reasoning-stream-2/n2": true, "scale-out-3/generate-logprobs-3-stream": true, "tools-stream/auto-call-token-ids": true}
	for _, c := range cases {
		if !left[c.ID()] {
			continue
		}
		delete(left, c.ID())
		t.Run(c.ID(), func(t *testing.T) {
			frames := func(a golden.Answer) []string { // of several choices they come in any order
				return slices.Sorted(strings.SplitSeq(varies.ReplaceAllString(a.Body, ""), "\n\n"))
			}
			if diff := cmp.Diff(frames(*c.Answer), frames(play(t, c))); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name := range left {
		t.Error("no exchange is called", name)
	}
}

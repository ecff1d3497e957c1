package mockvllm_test

import (
	"context"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/golden"
)

const (
	goldenDir = "testdata/golden"
	unmetFile = goldenDir + "/unmet.txt"
)

var updateUnmet = flag.Bool("update-unmet", false, "write "+unmetFile+" anew from what TestGolden finds")

// goldenFlags choose the answers: the reference model talks at random.
var goldenFlags = []string{"--mock-answer", "random"}

// TestGolden replays the recorded exchanges, each as a subtest group/name; head/group compares the spelling and order of the
// headers in a group. What is listed in unmet.txt fails for now, and has to: what begins to pass is taken off the list.
func TestGolden(t *testing.T) {
	cases, err := golden.ReadAll(goldenDir)
	if err != nil {
		t.Fatal(err)
	}
	l := readUnmet(t)
	play := startProfiles(t, l)
	heads := map[string][]golden.Case{}
	for _, c := range cases {
		heads[c.Group] = append(heads[c.Group], c)
		l.verdict(t, c.ID(), func() string {
			got, fault := play(c)
			if fault != "" {
				return fault
			}
			return c.Difference(got)
		})
	}
	for group, cases := range heads {
		l.verdict(t, "head/"+group, func() string {
			for _, c := range cases {
				got, fault := play(c)
				if fault == "" {
					fault = c.HeadDifference(got)
				}
				if fault != "" {
					return c.Name + ": " + fault
				}
			}
			return ""
		})
	}
	l.finish(t)
}

// startProfiles starts a mock for each profile and returns what plays a case, once, and tells what went wrong.
func startProfiles(t *testing.T, l *unmetList) func(golden.Case) (golden.Answer, string) {
	t.Helper()
	common, profiles, err := golden.ReadProfiles(goldenDir + "/servers.json")
	if err != nil {
		t.Fatal(err)
	}
	addrs, faults := map[string]string{}, map[string]string{}
	for _, p := range profiles {
		addrs[p.Name], faults[p.Name] = startProfile(t, common, p)
		l.verdict(t, "server/"+p.Name, func() string { return faults[p.Name] })
	}
	answers := map[string]golden.Answer{}
	return func(c golden.Case) (golden.Answer, string) {
		addr, known := addrs[c.Server]
		switch a, ok := answers[c.ID()]; {
		case !known:
			return a, "servers.json has no server " + c.Server
		case faults[c.Server] != "":
			return a, "server " + c.Server + " " + faults[c.Server]
		case ok:
			return a, ""
		}
		a, err := c.Play(t.Context(), addr)
		if err != nil {
			return a, err.Error()
		}
		answers[c.ID()] = a
		return a, ""
	}
}

// startProfile returns the address of a mock that runs until the test ends, or why it did not start.
func startProfile(t *testing.T, common []string, p golden.Profile) (addr, fault string) {
	t.Helper()
	args := slices.Concat([]string{"serve"}, common, p.Flags, goldenFlags, []string{"--host", "127.0.0.1", "--port", "0"})
	ctx, stop := context.WithCancel(context.Background())
	log, exited := newLogBuffer(), make(chan int, 1)
	go func() {
		exited <- mockvllm.Main(ctx, args, func(name string) string { return p.Env[name] }, log, log)
		stop()
	}()
	addr = log.after(ctx, "Starting vLLM server on http://")
	if addr == "" {
		return "", "did not start: " + lastLine(log.String())
	}
	t.Cleanup(func() {
		stop()
		if code := <-exited; code != 0 {
			t.Errorf("server %s: exit code %d; log:\n%s", p.Name, code, log)
		}
	})
	return addr, ""
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

func lastLine(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	return lines[len(lines)-1]
}

// unmetList is unmet.txt, which can only shrink.
type unmetList struct {
	listed map[string]bool
	asked  map[string]bool
}

func readUnmet(t *testing.T) *unmetList {
	t.Helper()
	text, err := os.ReadFile(unmetFile)
	if err != nil {
		t.Fatal(err)
	}
	l := &unmetList{listed: map[string]bool{}, asked: map[string]bool{}}
	for _, name := range strings.Fields(string(text)) {
		l.listed[name] = true
	}
	return l
}

// verdict runs a subtest in which find looks for a difference.
func (l *unmetList) verdict(t *testing.T, name string, find func() string) {
	t.Helper()
	l.asked[name] = true
	t.Run(name, func(t *testing.T) {
		switch diff := find(); {
		case *updateUnmet:
			if delete(l.listed, name); diff != "" {
				l.listed[name] = true
			}
		case diff != "" && l.listed[name]:
			t.Logf("not met yet: %s", diff)
		case diff != "":
			t.Error(diff)
		case l.listed[name]:
			t.Errorf("passes now: take it off %s, or run the test with -update-unmet", unmetFile)
		}
	})
}

// finish tells how many are met, and writes the list when it is asked to.
func (l *unmetList) finish(t *testing.T) {
	t.Helper()
	maps.DeleteFunc(l.listed, func(name string, _ bool) bool {
		if !l.asked[name] && !*updateUnmet {
			t.Errorf("%s: nothing is named %s", unmetFile, name)
		}
		return !l.asked[name]
	})
	if *updateUnmet {
		list := strings.Join(slices.Sorted(maps.Keys(l.listed)), "\n") + "\n"
		if err := os.WriteFile(unmetFile, []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d met", len(l.asked)-len(l.listed), len(l.asked))
}

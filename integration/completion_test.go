package integration

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// completions asks the program as a shell does when somebody presses the tab key.
func completions(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), fluidmcp(t), append([]string{"__complete"}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[:len(lines)-1] // the last one tells the shell what else to offer
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	_, s, _ := runOne(t)
	offers := func(want string, args ...string) {
		t.Helper()
		eventually(t, func() error { // nothing is offered when the answer takes longer than a person waits
			if got := completions(t, args...); len(got) != 1 || got[0] != want {
				return fmt.Errorf("fluidmcp %s TAB offers %q", strings.Join(args, " "), got)
			}
			return nil
		})
	}
	for _, verb := range []string{"start", "stop", "restart", "logs"} {
		offers(mockLLM+"\tready", verb, "--url", s.gateway, "")
		if got := completions(t, verb, "--url", s.gateway, mockLLM, ""); len(got) != 0 {
			t.Errorf("fluidmcp %s MODEL TAB offers %q", verb, got)
		}
	}
	offers(mockLLM, "loadtest", "--url", s.gateway, "--model", "")
	if got := completions(t, "loadtest", "--endpoint", ""); len(got) != 2 {
		t.Errorf("fluidmcp loadtest --endpoint TAB offers %q", got)
	}
	if got := strings.Join(completions(t, "loadtest", "--prompts", ""), " "); got != "jsonl" {
		t.Errorf("fluidmcp loadtest --prompts TAB offers files ending in %s", got)
	}
	if got := strings.Join(completions(t, "run", ""), " "); got != "json yaml yml" {
		t.Errorf("fluidmcp run TAB offers files ending in %s", got)
	}
	if got := completions(t, "run", "--log-level", ""); len(got) != 4 {
		t.Errorf("fluidmcp run --log-level TAB offers %q", got)
	}
}

// What is no file is not completed by one: neither these flags, nor what ps, schema and others take.
func TestCompletionOffersNoFiles(t *testing.T) {
	t.Parallel()
	for _, words := range [][]string{{"run", "--port", ""}, {"logs", "--lines", ""}, {"start", "--url", ""}, {"ps", ""}, {"schema", ""}, {"version", ""}, {"loadtest", "--rate", ""}, {"loadtest", ""}} {
		out, err := exec.CommandContext(t.Context(), fluidmcp(t), append([]string{"__complete"}, words...)...).Output()
		if noFiles := ":4\n"; err != nil || string(out) != noFiles { // cobra.ShellCompDirectiveNoFileComp
			t.Errorf("fluidmcp %s TAB: %v, offers %q", strings.Join(words, " "), err, out)
		}
	}
}

func TestCompletionScript(t *testing.T) {
	t.Parallel()
	script, err := exec.CommandContext(t.Context(), fluidmcp(t), "completion", "bash").Output()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "--norc", "-c", "source /dev/stdin && complete -p fluidmcp")
	cmd.Stdin = bytes.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "__start_fluidmcp") {
		t.Errorf("bash does not take the script: %v\n%s", err, out)
	}
}

package progress

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
)

func TestProgress(t *testing.T) {
	file, err := read.Load("../../../../examples/vllm-mock-config.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	p := New(&out, file)
	p.Hello("http://localhost:8099", false)
	show := func(phase fleet.Phase, message string) {
		p.Show(fleet.Snapshot{Models: []fleet.Model{{ID: "mock-llm", Phase: phase, Message: message,
			Backends: []fleet.Backend{{URL: "http://127.0.0.1:8001"}}}}})
	}
	show(fleet.Pending, "")
	show(fleet.Starting, "")
	show(fleet.Starting, "starting")
	for percent := range 100 {
		show(fleet.Starting, fmt.Sprintf("loading weights %d %%", percent))
	}
	show(fleet.Starting, "compiling")
	show(fleet.Ready, "")
	show(fleet.Backoff, "killed; next start in 1 s")
	show(fleet.Starting, "starting the server 100 %") // nothing was heard of the begin of it
	show(fleet.Ready, "")
	p.Stopping()
	p.Stopped(nil)
	got := out.String()
	for want, times := range map[string]int{
		"starting   mockvllm serve mock-model --port 8001": 2,
		"pending":                          0,
		"starting   starting":              0,
		"loading weights":                  1,
		"starting   compiling":             1,
		"ready      http://127.0.0.1:8001": 2,
		"killed; next start in 1 s":        1,
		"http://localhost:8099/ui/":        1,
		"http://localhost:8099/docs/":      1,
		"Ctrl-C again ends at once":        1,
		"Stopped.":                         1,
		"\x1b[":                            0, // no colour without a terminal
	} {
		if n := strings.Count(got, want); n != times {
			t.Errorf("%q stands %d times, want %d, in:\n%s", want, n, times, got)
		}
	}
}

// A model that cannot start does not hide how to reach the others.
func TestProgressWithAFailedModel(t *testing.T) {
	file := &manifest.File{Models: []manifest.Model{{ID: "a", Driver: manifest.Process, Instances: []manifest.Instance{{}}}}}
	var out bytes.Buffer
	p := New(&out, file)
	p.Hello("http://localhost:8099", false)
	show := func(first, other fleet.Phase) {
		p.Show(fleet.Snapshot{Models: []fleet.Model{{ID: "a", Phase: first, Reason: "Exited"},
			{ID: "b", Phase: other, Backends: []fleet.Backend{{}}}}})
	}
	show(fleet.Starting, fleet.Ready)
	if strings.Contains(out.String(), "Try:") {
		t.Error("addresses are shown while a model starts")
	}
	show(fleet.Backoff, fleet.Failed)
	show(fleet.Failed, fleet.Failed)
	if got := out.String(); strings.Count(got, "No model is ready. ") != 1 ||
		!strings.Contains(got, "`fluidmcp logs a` shows why") || !strings.Contains(got, "`fluidmcp start b` starts it") {
		t.Errorf("a person does not learn what to do:\n%s", got)
	}
	show(fleet.Failed, fleet.Ready)
	if !strings.Contains(out.String(), "/llm/b/chat/completions") {
		t.Errorf("no address of the model that is ready:\n%s", &out)
	}
}

// Who has just said that all is to end is not told how to start something.
func TestProgressStopsWhileModelsLoad(t *testing.T) {
	file := &manifest.File{Models: []manifest.Model{{ID: "a", Driver: manifest.Process, Instances: []manifest.Instance{{}}}}}
	var out bytes.Buffer
	p := New(&out, file)
	p.Hello("http://localhost:8099", false)
	p.Show(fleet.Snapshot{Models: []fleet.Model{{ID: "a", Phase: fleet.Starting}}})
	p.Stopping()
	for _, phase := range []fleet.Phase{fleet.Stopping, fleet.Stopped} {
		p.Show(fleet.Snapshot{Models: []fleet.Model{{ID: "a", Phase: phase, Reason: fleet.SupervisorEnding}}})
	}
	if got := out.String(); strings.Contains(got, "No model is ready") || !strings.Contains(got, "a                    stopped    together with FluidMCP") {
		t.Errorf("a person is told of what is of no use any more:\n%s", got)
	}
}

// A server that runs elsewhere may never answer. That is told, and hides nothing of the others.
func TestProgressWithAModelThatRunsElsewhere(t *testing.T) {
	file := &manifest.File{Models: []manifest.Model{{ID: "a", Driver: manifest.Process, Instances: []manifest.Instance{{}}}, {ID: "far", Driver: manifest.External}}}
	var out bytes.Buffer
	p := New(&out, file)
	p.Hello("https://localhost:8099", true)
	p.Show(fleet.Snapshot{Models: []fleet.Model{{ID: "a", Phase: fleet.Ready, Backends: []fleet.Backend{{URL: "http://127.0.0.1:8001"}}},
		{ID: "far", Phase: fleet.Starting, Message: "connection refused", Backends: []fleet.Backend{{}}}}})
	for _, want := range []string{"far                  starting   connection refused\n",
		"curl https://localhost:8099/llm/a/chat/completions", `-H "Authorization: Bearer $KEY" -d '{`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, &out)
		}
	}
}

// What is stopped starts when somebody asks, or does not: that is told, and the address to try is one that answers.
func TestProgressWithModelsOnDemand(t *testing.T) {
	file := &manifest.File{Models: []manifest.Model{{ID: "a", Driver: manifest.Process, Instances: []manifest.Instance{{}}}, {ID: "b", Driver: manifest.Process, Instances: []manifest.Instance{{}}}}}
	var out bytes.Buffer
	p := New(&out, file)
	p.Hello("http://localhost:8099", false)
	show := func(phase fleet.Phase, reason, message string) {
		p.Show(fleet.Snapshot{Models: []fleet.Model{{ID: "a", OnDemand: true, Phase: phase, Reason: reason, Message: message},
			{ID: "b", Phase: fleet.Ready, Backends: []fleet.Backend{{URL: "http://127.0.0.1:8002"}}}}})
	}
	show(fleet.Stopped, "OnDemand", "")
	if !strings.Contains(out.String(), "/llm/b/chat/completions") {
		t.Errorf("not the address of the model that is ready:\n%s", &out)
	}
	show(fleet.Stopping, "Evicted", "")
	show(fleet.Stopped, "Evicted", "")
	show(fleet.Stopped, "Evicted", "its server sleeps")
	show(fleet.Stopping, "New", "")
	show(fleet.Stopping, fleet.SupervisorEnding, "")
	for _, want := range []string{"stopped    the first request for it starts it\n", "stopping   to make room for another model\n",
		"stopped    it made room for another model; the next request starts it\n", "stopped    its server sleeps\n", "stopping   New\n", "stopping   together with FluidMCP\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, &out)
		}
	}
}

// One of several servers that dies leaves the model ready, and a person learns of it.
func TestProgressWithSeveralServers(t *testing.T) {
	file := &manifest.File{Models: []manifest.Model{{ID: "a", Driver: manifest.Process, Instances: []manifest.Instance{{}, {}}}}}
	var out bytes.Buffer
	p := New(&out, file)
	p.Hello("http://localhost:8099", false)
	p.Show(fleet.Snapshot{Models: []fleet.Model{{ID: "a", Phase: fleet.Starting, Backends: []fleet.Backend{{}, {}}}}})
	for _, second := range []bool{false, true, true, false, true} {
		p.Show(fleet.Snapshot{Models: []fleet.Model{{ID: "a", Phase: fleet.Ready, Backends: []fleet.Backend{{Routable: true}, {Routable: second}}}}})
	}
	var told []string
	for _, line := range regexp.MustCompile(`ready +(\d of 2 servers( after)?)`).FindAllStringSubmatch(out.String(), -1) {
		told = append(told, line[1])
	}
	// How long it took until all are up is told whether they come one by one or at once.
	if want := []string{"1 of 2 servers after", "2 of 2 servers after", "1 of 2 servers", "2 of 2 servers"}; !slices.Equal(told, want) {
		t.Errorf("the servers come and go otherwise: %q, want %q", told, want)
	}
}

//go:build real

package integration

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc"
)

// loading is how long a real vLLM may take to load the tiny model on a machine that has other work.
const loading = 8 * time.Minute

// real is a real vLLM on the CPU under the supervisor and behind the gateway.
type real struct {
	*stack
	cache string // where tools/conformance/serve.sh has installed vLLM
}

// startReal runs fluidmcp with it, and returns while it loads.
func startReal(t *testing.T) *real {
	cache, err := filepath.Abs(cmp.Or(os.Getenv("VLLM_CACHE"), "../.cache/vllm"))
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("../tools/conformance/serve.sh")
	if err != nil {
		t.Fatal(err)
	}
	ports := freePorts(t, 3)
	r := &real{&stack{gateway: fmt.Sprintf("http://127.0.0.1:%d", ports[0]), supervisor: fmt.Sprintf("http://127.0.0.1:%d", ports[1])}, cache}
	file := modelsFile(t, map[string]any{"tiny": map[string]any{
		"command": script, "args": []string{cache, "./tiny-model", "--served-model-name", "tiny", "--host", "127.0.0.1", "--port", strconv.Itoa(ports[2]),
			"--dtype", "float32", "--enforce-eager", "--max-model-len", "2048", "--max-num-seqs", "16"},
		"endpoints": map[string]string{"base_url": fmt.Sprintf("http://127.0.0.1:%d/v1", ports[2])},
	}})
	c := launch(t, "run", file, "--file", "--start-server", "--port", strconv.Itoa(ports[0]), "--supervisor-port", strconv.Itoa(ports[1]))
	t.Cleanup(func() { c.end(t, syscall.SIGINT) })
	eventually(t, func() error {
		_, err := http.Get(r.gateway + "/health")
		return err
	})
	return r
}

// realStatus is what these tests read of the model.
type realStatus struct {
	Phase     string
	Instances []struct {
		PID         int
		Progress    *struct{ Stage string }
		LastFailure *struct{ Reason string } `json:"last_failure"`
		LastExit    *struct{ Code int }      `json:"last_exit"`
	}
}

func (r *real) look(t *testing.T) (s realStatus) {
	t.Helper()
	do(t, "GET", r.gateway+"/api/llm/models/tiny", nil).want(t, http.StatusOK).decode(t, &s)
	return s
}

// ready waits for a server other than the one with the given pid, and returns its own and the stages of its start.
func (r *real) ready(t *testing.T, not int) (pid int, stages []string) {
	t.Helper()
	eventuallyWithin(t, loading, func() error {
		s := r.look(t)
		server := s.Instances[0]
		if p := server.Progress; p != nil && !slices.Contains(stages, p.Stage) {
			stages = append(stages, p.Stage)
		}
		if s.Phase != "ready" || server.PID == not {
			return fmt.Errorf("phase %s, pid %d, stages %q", s.Phase, server.PID, stages)
		}
		pid = server.PID
		return nil
	})
	return pid, stages
}

// processes are those of the server: its own and all that come from it.
func processes(t *testing.T, pid int) []proc.Process {
	t.Helper()
	table := proc.Read()
	all := []proc.Process{table[pid]}
	for _, id := range table.Below(pid) {
		all = append(all, table[id.PID])
	}
	return all
}

// long begins a stream of so many tokens and returns once the first has come; the channel gives all events once it has ended.
func (r *real) long(t *testing.T, tokens int) <-chan []string {
	t.Helper()
	resp, err := open(t, "POST", r.gateway+"/v1/chat/completions", map[string]any{"model": "tiny", "messages": user("Talk for long."),
		"stream": true, "max_tokens": tokens, "ignore_eos": true})
	if err != nil {
		t.Fatal(err)
	}
	begun, ended := make(chan struct{}), make(chan []string, 1)
	go func() {
		defer resp.Body.Close()
		var all []string
		_ = events(resp.Body, func(e event) { // how it ended is to be seen in the last one
			if all = append(all, e.data); len(all) == 3 {
				close(begun)
			}
		})
		ended <- all
	}()
	select {
	case <-begun:
	case all := <-ended:
		t.Fatalf("the stream ended before it had begun: %q", all)
	case <-time.After(time.Minute):
		t.Fatal("no token came")
	}
	return ended
}

// TestReal takes a real vLLM 0.32 through its life: it loads, answers, loses its engine, is replaced while it streams, and is stopped.
func TestReal(t *testing.T) {
	r := startReal(t)

	pid, stages := r.ready(t, 0)
	t.Logf("it loaded in the stages %q", stages)
	if len(stages) < 2 {
		t.Errorf("its log told too little: %q", stages)
	}
	ask := exec.CommandContext(t.Context(), filepath.Join(r.cache, "venv/bin/python"), "testdata/real/ask.py", r.gateway+"/v1")
	if out, err := ask.CombinedOutput(); err != nil || string(out) != "chat: length 8\nstream: length 8\n" {
		t.Fatalf("the SDK: %v\n%s", err, out)
	}

	running := processes(t, pid)
	t.Logf("its processes: %v", running)
	engine := slices.IndexFunc(running, func(p proc.Process) bool {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID)) // one that has ended is not the engine
		return strings.HasPrefix(string(line), "VLLM::EngineCore")
	})
	if len(running) < 3 || engine < 0 {
		t.Fatalf("these are not all of its processes: %v", running)
	}

	// The engine is killed in a stream.
	stream := r.long(t, 1900)
	running[engine].Signal(syscall.SIGKILL)
	got := <-stream
	last := got[len(got)-1]
	if last == "[DONE]" && len(got) > 1 { // vLLM sends it behind its own error
		last = got[len(got)-2]
	}
	var told struct{ Error struct{ Message string } }
	if err := json.Unmarshal([]byte(last), &told); err != nil || told.Error.Message == "" {
		t.Errorf("a stream whose engine was killed ended with %q", got[max(0, len(got)-3):])
	}
	next, _ := r.ready(t, pid)
	server := r.look(t).Instances[0]
	if server.LastFailure == nil || server.LastExit == nil {
		t.Errorf("the failure left no trace: %+v", server)
	} else {
		t.Logf("exit code %d, reason %s", server.LastExit.Code, server.LastFailure.Reason)
	}
	nothingLeft(t, running)

	// It is replaced while it streams: the stream comes to its own end first.
	running = processes(t, next)
	stream = r.long(t, 1900)
	do(t, "POST", r.gateway+"/api/llm/models/tiny/restart?force=true", nil).want(t, http.StatusAccepted)
	if got := <-stream; got[len(got)-1] != "[DONE]" || !strings.Contains(strings.Join(got, ""), `"finish_reason":"length"`) {
		t.Errorf("a stream in a restart ended with %q", got[max(0, len(got)-3):])
	}
	again, _ := r.ready(t, next)
	nothingLeft(t, running)

	running = processes(t, again)
	r.command(t, "tiny", "stop").want(t, http.StatusAccepted)
	eventuallyWithin(t, time.Minute, func() error {
		if phase := r.look(t).Phase; phase != "stopped" {
			return fmt.Errorf("phase %s", phase)
		}
		return nil
	})
	nothingLeft(t, running)
}

// nothingLeft waits for the processes to be gone.
func nothingLeft(t *testing.T, all []proc.Process) {
	t.Helper()
	eventually(t, func() error {
		for _, p := range all {
			if p.Alive() {
				return fmt.Errorf("%s is left", p)
			}
		}
		return nil
	})
}

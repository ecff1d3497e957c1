package integration

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/mockvllmtest"
)

const (
	child  = "child"  // the model whose server the supervisor starts
	halted = "halted" // the same, stopped by a person
)

// apart is a supervisor and a gateway that are processes of their own, as containers are.
type apart struct {
	*chaos     // its model trio is external
	env        []string
	supervised *command
	gate       *gatewayProcess
}

// startApart runs them with two external servers, which answer a token every 20 ms, and two models of the supervisor's own.
func startApart(t *testing.T) *apart {
	ports := freePorts(t, 3)
	var far []map[string]any
	for range 2 {
		mock := mockvllmtest.Start(t, mockvllmtest.Latency(10*time.Millisecond, 20*time.Millisecond))
		far = append(far, map[string]any{"base_url": mock.URL + "/v1"})
	}
	own := func(port int) map[string]any {
		return map[string]any{"command": fluidmcp(t), "args": []string{"mockvllm", "serve", "mock-model", "--port", strconv.Itoa(port)},
			"served_name": "mock-model", "endpoints": map[string]any{"base_url": fmt.Sprintf("http://127.0.0.1:%d/v1", port)}}
	}
	file := modelsFile(t, map[string]any{
		trio:   map[string]any{"endpoints": map[string]any{"servers": far}, "served_name": "mock-model"},
		child:  own(ports[1]),
		halted: own(ports[2]),
	})
	a := &apart{chaos: &chaos{stack: &stack{supervisor: fmt.Sprintf("http://127.0.0.1:%d", ports[0])}}}
	a.env = append(os.Environ(), "SUPERVISOR_ADDR="+strings.TrimPrefix(a.supervisor, "http://"), "SUPERVISOR_MODELS="+file,
		"SUPERVISOR_STATE_DIR="+t.TempDir(), "SUPERVISOR_PROBE_STARTING=50ms")
	a.supervise(t)
	a.gate = startGateway(t, gatewayBinary, a.supervisor)
	a.gateway = a.gate.url
	for _, model := range []string{trio, child, halted} {
		eventually(t, func() error { return a.ask(t, model) })
	}
	return a
}

func (a *apart) supervise(t *testing.T) {
	t.Helper()
	cmd := exec.Command(built(t, supervisorBinary))
	cmd.Env = a.env
	a.supervised = start(t, cmd)
}

// happening is what the scenarios read of an event.
type happening struct {
	Number                                  uint64
	Model, From, Phase, Reason, Message, By string
	PID                                     int
}

func (h happening) String() string {
	return strings.TrimRight(fmt.Sprintf("%s: %s>%s %s", h.Model, h.From, h.Phase, h.Reason), " ")
}

// happened asks for all events.
func (s *stack) happened(t *testing.T, base string) []happening {
	t.Helper()
	var list struct{ Events []happening }
	do(t, "GET", base+"/api/llm/events", nil).want(t, http.StatusOK).decode(t, &list)
	return list.Events
}

// TestSupervisorKilledUnderLoad kills the supervisor three times while clients stream from servers that it does not run. None of them
// sees anything of it. The servers that it does run end with it, and are started anew; the events say so. What a person stopped stays
// stopped. Somebody who follows the events through the gateway misses none.
func TestSupervisorKilledUnderLoad(t *testing.T) {
	t.Parallel()
	a := startApart(t)
	a.command(t, halted, "stop").want(t, http.StatusAccepted)
	a.waitPhase(t, halted, "stopped")
	follower := start(t, exec.Command(fluidmcp(t), "events", "--follow", "--json", "--since", "0", "--url", a.gateway))
	follower.waitLine(t, `"number"`)

	const clients, most = 8, 400
	over := make(chan struct{})
	var load sync.WaitGroup
	outcomes := make(chan outcome, clients*most)
	for n := range clients {
		load.Go(func() {
			for i := range most {
				select {
				case <-over:
					return
				default:
					outcomes <- a.streamed(t, fmt.Sprintf("client %d says %d", n, i), 15, func() {})
				}
			}
		})
	}
	const kills = 3
	for range kills {
		pid := a.status(t, child).Instances[0].PID
		before := a.scrape(t, a.gateway).sum("fluidmcp_upstream_attempts_total", "model", trio, "outcome", "ok")
		a.supervised.end(t, syscall.SIGKILL)
		eventually(t, func() error { return gone(pid) })
		// Well into the time without a supervisor: the load goes on.
		eventually(t, func() error {
			if now := a.scrape(t, a.gateway).sum("fluidmcp_upstream_attempts_total", "model", trio, "outcome", "ok"); now < before+2*clients {
				return fmt.Errorf("%v answers, %v before the kill", now, before)
			}
			return nil
		})
		a.supervise(t)
		eventually(t, func() error { return a.ask(t, child) })
		if now := a.status(t, child).Instances[0].PID; now == pid {
			t.Errorf("process %d of the dead supervisor is still in use", pid)
		}
		if m := a.status(t, halted); m.Phase != "stopped" || m.Desired != "stopped" {
			t.Errorf("what was stopped is %+v", m)
		}
	}
	close(over)
	load.Wait()
	close(outcomes)
	streams := map[outcome]int{}
	for o := range outcomes {
		streams[o]++
	}
	t.Logf("streams over %d kills of the supervisor: %v", kills, streams)
	only(t, "streams", streams, whole)
	if streams[whole] < kills*2*clients {
		t.Errorf("only %d streams: the load did not last", streams[whole])
	}

	all := a.happened(t, a.gateway)
	a.eventsOfKills(t, all, kills)
	a.followedAll(t, follower, all)
}

// eventsOfKills checks what the events tell of the kills.
func (a *apart) eventsOfKills(t *testing.T, all []happening, kills int) {
	t.Helper()
	count := map[string]int{}
	last := uint64(0)
	for _, h := range all {
		if h.Number <= last {
			t.Errorf("number %d after %d", h.Number, last)
		}
		last = h.Number
		count[h.String()]++
		if h.Reason == "SupervisorStarted" && strings.HasSuffix(h.Message, "; the one before was killed") {
			count["killed"]++
		}
	}
	for what, want := range map[string]int{
		"killed": kills,
		child + ": >starting SupervisorRestarted": kills,
		child + ": >starting":                     1,
		halted + ": >starting":                    1,
		halted + ": >stopped":                     kills, // as it was
		trio + ": >ready":                         2 * (kills + 1),
		trio + ": >starting":                      0, // it was never out of use
	} {
		if count[what] != want {
			t.Errorf("%d times %q, want %d, in %v", count[what], what, want, all)
		}
	}
}

// followedAll checks that the follower has printed each event once.
func (a *apart) followedAll(t *testing.T, follower *command, all []happening) {
	t.Helper()
	var want []uint64
	for _, h := range all {
		want = append(want, h.Number)
	}
	eventually(t, func() error { // what it prints takes a while to come here
		var got []uint64
		for lines := bufio.NewScanner(strings.NewReader(follower.said())); lines.Scan(); {
			var h happening
			if json.Unmarshal(lines.Bytes(), &h) == nil { // others are notes of the breaks
				got = append(got, h.Number)
			}
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("followed %v, want %v", got, want)
		}
		return nil
	})
}

// supervisorReplaced kills the supervisor's container while clients stream, and starts it again. It finds in its volume that a model was
// stopped, and what had happened.
func supervisorReplaced(t *testing.T, s *stack) {
	supervisor := docker(t, "ps", "-q", "--filter", "label=com.docker.compose.project="+s.project, "--filter", "label=com.docker.compose.service=supervisor")
	s.command(t, mockLlama, "stop").want(t, http.StatusAccepted)
	s.waitPhase(t, mockLlama, "stopped")
	before := s.happened(t, s.gateway)
	over := make(chan struct{})
	var load sync.WaitGroup
	var streams atomic.Int64
	quiet := sync.OnceFunc(func() {
		close(over)
		load.Wait()
	})
	defer quiet()
	for range 4 {
		load.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				resp, all := stream(t, s.gateway+"/llm/mock-gpt/chat/completions", map[string]any{"messages": user("a b c"), "stream": true})
				if resp.StatusCode != http.StatusOK || len(all) == 0 || all[len(all)-1].data != "[DONE]" {
					t.Errorf("a stream is %s and %v", resp.Status, all)
				}
				streams.Add(1)
			}
		})
	}
	more := func() {
		t.Helper()
		have := streams.Load()
		eventually(t, func() error {
			if now := streams.Load(); now < have+8 {
				return fmt.Errorf("%d streams, %d before", now, have)
			}
			return nil
		})
	}
	more()
	docker(t, "kill", "--signal", "KILL", supervisor)
	more()
	docker(t, "start", supervisor)
	out := docker(t, "port", supervisor, "8098/tcp") // a published port is a new one
	s.supervisor = "http://" + strings.SplitN(out, "\n", 2)[0]
	eventually(t, func() error { // until there is a supervisor again, the gateway answers with 503
		a, err := send(t, "GET", s.gateway+"/api/llm/models/"+mockLlama, nil)
		if err == nil && (a.status != http.StatusOK || !strings.Contains(string(a.body), `"phase":"stopped"`)) {
			err = fmt.Errorf("%d %s", a.status, a.body)
		}
		return err
	})
	more()
	quiet()

	after := s.happened(t, s.gateway)
	if len(after) < len(before) || !slices.Equal(after[:len(before)], before) {
		t.Errorf("events were lost: %v, then %v", before, after)
	}
	for _, h := range after[len(before):] {
		switch {
		case h.Reason == "SupervisorStarted" && strings.HasSuffix(h.Message, "; the one before was killed"):
		case h.Model == mockLlama && h.Phase == "stopped", h.Model != mockLlama && h.Phase == "ready":
		default:
			t.Errorf("after the restart: %+v", h)
		}
	}
	s.command(t, mockLlama, "start").want(t, http.StatusAccepted)
	eventually(t, func() error { return s.ask(t, mockLlama) })
}

// TestDiskOfTheSupervisorFull limits the size of files that the supervisor may write to nothing, as a full disk does.
func TestDiskOfTheSupervisorFull(t *testing.T) {
	t.Parallel()
	a := startApart(t)
	before := a.happened(t, a.gateway)
	limit := func(size uint64) {
		t.Helper()
		if err := unix.Prlimit(a.supervised.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY}, nil); err != nil {
			t.Fatal(err)
		}
	}
	failures := func(file string) float64 {
		return a.scrape(t, a.supervisor).sum("fluidmcp_state_write_failures_total", "file", file)
	}
	if n := failures("events") + failures("models"); n != 0 {
		t.Errorf("%v failures before there is one", n)
	}
	limit(1)
	a.command(t, halted, "stop").want(t, http.StatusAccepted)
	a.waitPhase(t, halted, "stopped")
	eventually(t, func() error {
		if failures("events") == 0 || failures("models") == 0 {
			return fmt.Errorf("%v failures of events, %v of models", failures("events"), failures("models"))
		}
		return nil
	})
	for _, model := range []string{trio, child} {
		if err := a.ask(t, model); err != nil {
			t.Error(err)
		}
	}
	during := a.happened(t, a.gateway)
	if len(during) < len(before)+3 {
		t.Errorf("events are not told: %v", during)
	}
	for _, what := range []string{"events cannot be written", "what people said of the models cannot be written"} {
		eventually(t, func() error { // a line takes a while to come here
			if !strings.Contains(a.supervised.said(), what) {
				return fmt.Errorf("%q is not told", what)
			}
			return nil
		})
		if said := a.supervised.said(); strings.Count(said, what) != 1 {
			t.Errorf("%q is not told once: %s", what, said)
		}
	}

	limit(unix.RLIM_INFINITY)
	eventuallyWithin(t, time.Minute, func() error {
		for _, what := range []string{"events can be written again", "what people said of the models can be written again"} {
			if !strings.Contains(a.supervised.said(), what) {
				return fmt.Errorf("it does not say %q", what)
			}
		}
		return nil
	})
	a.supervised.end(t, syscall.SIGKILL)
	a.supervise(t)
	eventually(t, func() error { return a.ask(t, child) })
	if m := a.status(t, halted); m.Desired != "stopped" {
		t.Errorf("what was stopped while the disk was full is %+v", m)
	}
	after := a.happened(t, a.gateway)
	if !slices.Equal(after[:len(during)], during) {
		t.Errorf("events of the full disk were lost: %v, then %v", during, after)
	}
}

// TestStateFolderInUse starts a second FluidMCP on the same file, and a supervisor on the folder of another.
func TestStateFolderInUse(t *testing.T) {
	t.Parallel()
	far := mockvllmtest.Start(t)
	file := modelsFile(t, map[string]any{"far": map[string]any{"endpoints": map[string]any{"base_url": far.URL + "/v1"}}})
	args := []string{"run", file, "--start-server", "--port", "0", "--supervisor-port", "0"}
	first := launch(t, args...)
	first.waitLine(t, "ready")
	if out := refuse(t, args...); !strings.Contains(out, fmt.Sprintf("is in use by the process with pid %d", first.Process.Pid)) || !strings.Contains(out, "SUPERVISOR_STATE_DIR") {
		t.Errorf("a second one on the same file: %s", out)
	}
	first.end(t, syscall.SIGINT)
	again := launch(t, args...)
	again.waitLine(t, "ready")
	again.end(t, syscall.SIGINT)
	if again.err != nil {
		t.Errorf("after Ctrl-C: %v", again.err)
	}
}

package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// edited is a fluidmcp whose models file changes while it runs.
type edited struct {
	*command
	*stack
	path  string
	ports []int // of the model servers
}

// runEdited runs fluidmcp with some models, which models makes of ports that are free.
func runEdited(t *testing.T, models func(ports []int) string, flags ...string) *edited {
	t.Helper()
	ports := freePorts(t, 6)
	e := &edited{path: filepath.Join(t.TempDir(), "models.json"), ports: ports[2:], stack: &stack{gateway: fmt.Sprintf("http://127.0.0.1:%d", ports[0])}}
	e.write(t, models(e.ports))
	args := append([]string{"run", e.path, "--start-server", "--port", strconv.Itoa(ports[0]), "--supervisor-port", strconv.Itoa(ports[1])}, flags...)
	e.command = launch(t, args...)
	e.endsWell(t, syscall.SIGTERM) // every model, also one that a test has broken, ends with it
	return e
}

func (e *edited) write(t *testing.T, models string) {
	t.Helper()
	writeFile(t, e.path, `{"llmModels": {`+models+`}}`)
}

// apply runs `fluidmcp apply` and returns what it prints, and whether it succeeded.
func (e *edited) apply(t *testing.T, args ...string) (string, bool) {
	t.Helper()
	out, err := exec.Command(fluidmcp(t), append([]string{"apply", "--url", e.gateway}, args...)...).CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		t.Fatal(err)
	}
	return string(out), err == nil
}

func (e *edited) pids(t *testing.T, model string) (pids []int) {
	t.Helper()
	for _, i := range e.status(t, model).Instances {
		pids = append(pids, i.PID)
	}
	return pids
}

// load is streams that go on until stop.
type load struct {
	over    chan struct{}
	clients sync.WaitGroup
	whole   atomic.Int64
	broken  atomic.Int64
	first   atomic.Value // what the first broken one got
}

// stream has n clients ask for one stream after the other.
func (e *edited) load(t *testing.T, model string, n int) *load {
	t.Helper()
	l := &load{over: make(chan struct{})}
	for range n {
		l.clients.Go(func() {
			for range 10_000 {
				select {
				case <-l.over:
					return
				default:
				}
				if err := e.whole(t, model); err != nil {
					l.broken.Add(1)
					l.first.CompareAndSwap(nil, err.Error())
				} else {
					l.whole.Add(1)
				}
			}
		})
	}
	return l
}

// whole asks for a stream and tells what it lacks.
func (e *edited) whole(t *testing.T, model string) error {
	resp, err := open(t, http.MethodPost, e.gateway+"/llm/"+model+"/chat/completions", map[string]any{"messages": user("a b c d e f"), "stream": true})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	last := ""
	if err := events(resp.Body, func(e event) { last = e.data }); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || last != "[DONE]" {
		return fmt.Errorf("status %d, the last event is %q", resp.StatusCode, last)
	}
	return nil
}

// more waits for streams to come to their end that began after its call.
func (l *load) more(t *testing.T) {
	t.Helper()
	before := l.whole.Load() + l.broken.Load()
	eventually(t, func() error {
		if now := l.whole.Load() + l.broken.Load(); now < before+20 {
			return fmt.Errorf("%d streams ended", now-before)
		}
		return nil
	})
}

func (l *load) stop(t *testing.T) {
	t.Helper()
	close(l.over)
	l.clients.Wait()
	t.Logf("%d streams, %d broken", l.whole.Load(), l.broken.Load())
	if l.broken.Load() > 0 {
		t.Errorf("%d streams broke, the first: %v", l.broken.Load(), l.first.Load())
	}
}

func mockEntry(id string, port int, fields string) string {
	return fmt.Sprintf(`%q: {"command": "mockvllm", "args": ["serve", "mock-model", "--port", "%d", "--mock-itl", "10ms"]%s}`, id, port, fields)
}

// The file is edited in every way while streams run, and none of them notices.
func TestFileEditedUnderLoad(t *testing.T) {
	t.Parallel()
	const two = `, "replicas": 2, "timeouts": {"drain": 60}`
	m := func(ports []int, fields string) string { return mockEntry("m", ports[0], two+fields) }
	n := func(ports []int) string { return mockEntry("n", ports[2], "") }
	e := runEdited(t, func(ports []int) string { return m(ports, "") + "," + n(ports) })
	eventually(t, func() error { return errors.Join(e.ask(t, "m"), e.ask(t, "n")) })
	eventually(t, func() error { return e.ready(t, "m", 2) })
	first := e.pids(t, "m")
	l := e.load(t, "m", 8)
	l.more(t)

	// A limit, by the watch: no process notices.
	e.write(t, m(e.ports, `, "limits": {"inflight": 500}`)+","+n(e.ports))
	e.waitLine(t, "limits.inflight  unset -> 500  none")
	l.more(t)
	if now := e.pids(t, "m"); fmt.Sprint(now) != fmt.Sprint(first) {
		t.Errorf("a limit restarted %v, now %v", first, now)
	}

	// A broken file, by SIGHUP and by apply.
	writeFile(t, e.path, `{"llmModels": {"m": {"comand": 1}}, }`)
	if err := e.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	e.waitLine(t, "It is refused")
	if out, ok := e.apply(t); ok || !strings.Contains(out, `did you mean "command"?`) {
		t.Errorf("apply of a broken file: %s", out)
	}
	l.more(t)
	if now := e.pids(t, "m"); fmt.Sprint(now) != fmt.Sprint(first) {
		t.Errorf("a broken file restarted %v, now %v", first, now)
	}

	// Another argument: both replicas are started anew.
	changed := strings.Replace(m(e.ports, `, "limits": {"inflight": 500}`), `"--mock-itl"`, `"--seed", "7", "--mock-itl"`, 1)
	e.write(t, changed+","+n(e.ports))
	if err := e.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	e.waitLine(t, "~ m   rolling restart of m-0, m-1")
	eventually(t, func() error {
		now := e.pids(t, "m")
		if len(now) != 2 || now[0] == first[0] || now[1] == first[1] {
			return fmt.Errorf("%v, before %v", now, first)
		}
		return e.ready(t, "m", 2)
	})
	l.more(t)

	// A model that is gone drains: its stream comes to its end.
	long := make(chan error, 1)
	begun := make(chan struct{})
	go func() { long <- e.long(t, "n", begun) }()
	<-begun
	gone := e.pids(t, "n")[0]
	e.write(t, changed)
	if out, ok := e.apply(t, e.path); !ok {
		t.Error(out)
	}
	if err := <-long; err != nil {
		t.Errorf("the stream of the model that was taken out: %v", err)
	}
	eventually(t, func() error {
		a := do(t, http.MethodGet, e.gateway+"/api/llm/models/n", nil)
		if a.status != http.StatusNotFound || alive(gone) {
			return fmt.Errorf("%d %s, its process lives: %t", a.status, a.body, alive(gone))
		}
		return nil
	})

	// And comes back, over HTTP that is only for what the file declares.
	do(t, http.MethodPost, e.gateway+"/api/llm/models", `{"id": "n"}`).wantFailure(t, http.StatusForbidden, "remote_commands_not_allowed")
	e.write(t, changed+","+n(e.ports))
	eventually(t, func() error { return e.ask(t, "n") })
	l.more(t)
	l.stop(t)
}

// ready tells whether so many servers of a model are.
func (e *edited) ready(t *testing.T, model string, want int) error {
	t.Helper()
	m := e.status(t, model)
	ready := 0
	for _, i := range m.Instances {
		if i.Phase == "ready" {
			ready++
		}
	}
	if ready != want {
		return fmt.Errorf("%d of %d ready: %+v", ready, want, m)
	}
	return nil
}

// long is a stream that has begun when begun is closed.
func (e *edited) long(t *testing.T, model string, begun chan struct{}) error {
	words := strings.Repeat("word ", 200)
	resp, err := open(t, http.MethodPost, e.gateway+"/llm/"+model+"/chat/completions", map[string]any{"messages": user(words), "stream": true})
	if err != nil {
		close(begun)
		return err
	}
	defer resp.Body.Close()
	n, last := 0, ""
	err = events(resp.Body, func(e event) {
		if n++; n == 3 {
			close(begun)
		}
		last = e.data
	})
	if err == nil && last != "[DONE]" {
		err = fmt.Errorf("%d events, the last is %q", n, last)
	}
	return err
}

// What came over HTTP holds until the file is read again.
func TestPatchedOverHTTP(t *testing.T) {
	t.Parallel()
	e := runEdited(t, func(ports []int) string { return mockEntry("m", ports[0], "") })
	eventually(t, func() error { return e.ask(t, "m") })
	pid := e.pids(t, "m")
	var set struct {
		Models []struct{ Model, Effect string }
	}
	do(t, http.MethodPatch, e.gateway+"/api/llm/models/m", `{"aliases": ["other"], "limits": {"inflight": 9}}`).want(t, http.StatusAccepted).decode(t, &set)
	if len(set.Models) != 1 || set.Models[0].Effect != "none" {
		t.Errorf("%+v", set)
	}
	eventually(t, func() error { return e.ask(t, "other") })
	out, ok := e.apply(t, "--dry-run")
	if !ok || !strings.Contains(out, `aliases          ["other"] -> unset  none`) || !strings.Contains(out, "Nothing was changed") {
		t.Errorf("dry run: %s", out)
	}
	if out, ok := e.apply(t, "--json"); !ok || !json.Valid([]byte(out)) {
		t.Errorf("apply: %s", out)
	}
	eventually(t, func() error {
		if err := e.ask(t, "other"); err == nil {
			return errors.New("the alias is still there")
		}
		return nil
	})
	if now := e.pids(t, "m"); fmt.Sprint(now) != fmt.Sprint(pid) {
		t.Errorf("restarted: %v, now %v", pid, now)
	}
}

// SIGHUP has the file read again as long as the terminal is there. When that is closed it ends the program, as ever.
func TestTerminalThatIsClosed(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 3)
	path := filepath.Join(t.TempDir(), "models.json")
	writeFile(t, path, `{"llmModels": {`+mockEntry("m", ports[2], "")+`}}`)
	cmd := exec.Command(fluidmcp(t), "run", path, "--start-server", "--port", strconv.Itoa(ports[0]), "--supervisor-port", strconv.Itoa(ports[1]))
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	s := &stack{gateway: fmt.Sprintf("http://127.0.0.1:%d", ports[0])}
	eventually(t, func() error { return s.ask(t, "m") })
	pid := s.status(t, "m").Instances[0].PID
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, `{"llmModels": {`+mockEntry("m", ports[2], `, "aliases": ["again"]`)+`}}`)
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return s.ask(t, "again") })
	terminal.Close() // nobody has read from it: what the program prints has room in the kernel
	select {
	case err := <-ended:
		t.Logf("ended with %v", err)
	case <-time.After(time.Minute):
		t.Fatal("the program outlives its terminal")
	}
	if alive(pid) {
		t.Error("the model server is left")
	}
}

// Every example comes up on mocks, whatever it is for. Their ports are those of the guides too.
func TestEveryExampleRehearsed(t *testing.T) {
	t.Parallel()
	takeExamplePorts(t)
	files, err := filepath.Glob("../examples/*.[jy]*")
	if err != nil || len(files) < 5 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			ports := freePorts(t, 2)
			c := launch(t, "run", strings.TrimPrefix(file, "../"), "--mock", "--mock-load-time", "0.01",
				"--port", strconv.Itoa(ports[0]), "--supervisor-port", strconv.Itoa(ports[1]))
			s := &stack{gateway: fmt.Sprintf("http://127.0.0.1:%d", ports[0])}
			var list struct{ Models []modelStatus }
			eventually(t, func() error {
				a, err := send(t, http.MethodGet, s.gateway+"/api/llm/models", nil)
				if err != nil || a.status != http.StatusOK {
					return fmt.Errorf("%w: %d %s", err, a.status, a.body)
				}
				a.decode(t, &list)
				return nil
			})
			for _, m := range list.Models {
				eventually(t, func() error { return s.ask(t, m.ID) })
			}
			c.end(t, syscall.SIGTERM)
			if c.err != nil || len(list.Models) == 0 {
				t.Errorf("%d models, ended with %v", len(list.Models), c.err)
			}
		})
	}
}

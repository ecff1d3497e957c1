package supervisor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/report"
)

// patience is how long a test waits for what must come. It only bounds a failure.
const patience = time.Minute

// stack is a supervisor under test.
type stack struct {
	t      *testing.T
	url    string
	token  string
	stop   context.CancelFunc
	ended  chan error
	client *http.Client
}

// nextPort is where freePort looks on. Each run of the tests begins elsewhere.
var nextPort = 20_000 + 3*rand.IntN(3_333)

// freePort returns a port that is free, and so are the next two; no call of this test has returned any of them before. They lie below
// those that the kernel gives to clients, of which one could take a port before the model server does.
func freePort(t *testing.T) int {
	t.Helper()
	for range 3_333 {
		port := nextPort
		if nextPort += 3; nextPort >= 29_999 {
			nextPort = 20_000
		}
		if free(port) && free(port+1) && free(port+2) {
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func free(port int) bool {
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		_ = ln.Close()
	}
	return err == nil
}

// fake is the fields of a model that this test binary serves at port.
func fake(port int, more string) string {
	return fmt.Sprintf(`"command": "fakevllm", "args": ["--port", "%d"], "served_name": "fake", "endpoints": {"base_url": "http://localhost:%[1]d/v1"}%s`, port, more)
}

// fakeWith is fake with more arguments.
func fakeWith(port int, args, more string) string {
	return strings.Replace(fake(port, more), `"args": [`, `"args": [`+args+`, `, 1)
}

// parse makes a plan of entries such as `"id": {fields}`.
func parse(t *testing.T, entries ...string) *manifest.File {
	t.Helper()
	file, err := read.Parse("models.json", []byte(`{"llmModels": {`+strings.Join(entries, ",")+`}}`), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func commands(t *testing.T) map[string][]string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]string{"fakevllm": {self, "fakevllm"}, "vllm": {self, "fakevllm"}}
}

// quick is a configuration whose probes do not make tests wait.
func quick() supervisor.Config {
	cfg := supervisor.Default()
	cfg.ProbeStarting = 20 * time.Millisecond
	cfg.ProbeInterval = 50 * time.Millisecond
	cfg.WatchModels = false // nobody is to apply a file before the test does
	return cfg
}

// watching is quick, and follows the models file.
func watching() supervisor.Config {
	cfg := quick()
	cfg.WatchModels = true
	return cfg
}

// run starts a supervisor, with a guard, that ends with the test.
func run(t *testing.T, cfg supervisor.Config, file *manifest.File) *stack {
	t.Helper()
	return runLogged(t, cfg, file, zaptest.NewLogger(t))
}

func runLogged(t *testing.T, cfg supervisor.Config, file *manifest.File, log *zap.Logger) *stack {
	t.Helper()
	cmds := commands(t)
	s, err := supervisor.New(cfg, supervisor.Deps{
		Log: log, Models: file, Commands: cmds, Guard: []string{cmds["fakevllm"][0], "guard"},
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	st := &stack{t: t, url: "http://" + ln.Addr().String(), token: cfg.Token, stop: stop, ended: make(chan error, 1),
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	go func() { st.ended <- s.Run(ctx, ln) }()
	t.Cleanup(st.end)
	return st
}

// end stops the supervisor and waits for it. It may be called again.
func (s *stack) end() {
	s.t.Helper()
	s.stop()
	select {
	case err := <-s.ended:
		if err != nil {
			s.t.Errorf("Run: %v", err)
		}
		s.ended <- nil
	case <-time.After(patience):
		s.t.Fatal("the supervisor did not end")
	}
}

// do sends a request and returns status and body.
func (s *stack) do(method, path, body string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// post asks a model server of the test something.
func post(t *testing.T, url string) {
	t.Helper()
	resp, err := http.Post(url, "", nil)
	if err == nil { // /die answers with a closed connection
		resp.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()
}

// get asks a model server of the test something.
func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return string(text)
}

func decode[T any](t *testing.T, body string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("decode %s: %v", body, err)
	}
	return v
}

// model returns a model's status.
func (s *stack) model(id string) report.Model {
	s.t.Helper()
	status, body := s.do(http.MethodGet, "/api/llm/models/"+id, "")
	if status != http.StatusOK {
		s.t.Fatalf("model %s: %d %s", id, status, body)
	}
	return decode[report.Model](s.t, body)
}

// watch follows the feed and returns the snapshots as they come, until the test or the supervisor ends.
func (s *stack) watch() <-chan fleet.Snapshot {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, over := make(chan fleet.Snapshot, 1000), make(chan struct{})
	client := fleet.Client{URL: s.url, Token: s.token, HTTP: s.client}
	go func() {
		defer close(over)
		_ = client.Watch(ctx, func(snapshot fleet.Snapshot) { out <- snapshot }, func(error) {})
	}()
	s.t.Cleanup(func() {
		cancel()
		<-over
	})
	return out
}

// until reads snapshots until one satisfies, and returns that.
func until(t *testing.T, feed <-chan fleet.Snapshot, what string, satisfies func(fleet.Snapshot) bool) fleet.Snapshot {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case snapshot := <-feed:
			if satisfies(snapshot) {
				return snapshot
			}
		case <-deadline:
			t.Fatalf("the feed never showed %s", what)
		}
	}
}

// phase waits until the model is in it.
func phase(t *testing.T, feed <-chan fleet.Snapshot, id string, want fleet.Phase) fleet.Snapshot {
	t.Helper()
	return until(t, feed, id+" "+string(want), func(s fleet.Snapshot) bool { return find(s, id).Phase == want })
}

// restarted waits until the model is ready with its n-th restart behind it. What lies between may pass too quickly to be seen in
// the feed, where changes that come faster than they are read become one.
func (s *stack) restarted(feed <-chan fleet.Snapshot, id string, n int) {
	s.t.Helper()
	until(s.t, feed, "restart of "+id, func(now fleet.Snapshot) bool {
		return find(now, id).Phase == fleet.Ready && s.model(id).Restarts == n
	})
}

func find(s fleet.Snapshot, id string) fleet.Model {
	for _, m := range s.Models {
		if m.ID == id {
			return m
		}
	}
	return fleet.Model{}
}

// running tells whether a process is there and no zombie.
func running(pid int) bool { return syscall.Kill(pid, 0) == nil }

// sleeper starts a process that ends with the test.
func sleeper(t *testing.T) proc.ID {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	id, _ := proc.Of(cmd.Process.Pid)
	return id
}

// eventually waits for what no snapshot tells of.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !check() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}

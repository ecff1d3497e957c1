package ledger_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/ledger"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// session starts a shell that leads a session, with one process below it, and returns both.
func session(t *testing.T) (server, worker proc.ID) {
	t.Helper()
	cmd := exec.Command("sh", "-c", "sleep 600 & wait")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	server = named(t, cmd.Process.Pid)
	for len(proc.Read().Below(server.PID)) == 0 {
		time.Sleep(time.Millisecond)
	}
	return server, proc.Read().Below(server.PID)[0]
}

func named(t *testing.T, pid int) proc.ID {
	t.Helper()
	id, ok := proc.Of(pid)
	if !ok {
		t.Fatalf("process %d has ended", pid)
	}
	return id
}

// written is a ledger's file of one server.
func written(t *testing.T, boot string, e ledger.Entry) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "running.json")
	text, err := json.Marshal(map[string]any{"boot": boot, "servers": map[string]any{"m-0": e}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func endLeft(t *testing.T, path string) []string {
	t.Helper()
	return ledger.Open(path, zaptest.NewLogger(t)).EndLeft(t.Context(), 20*time.Millisecond)
}

// dead is whether a process is gone or a zombie that this test has not reaped yet.
func dead(id proc.ID) bool { return !id.Alive() }

func TestWhatIsLeftIsEnded(t *testing.T) {
	gone := proc.ID{PID: 1 << 22, Start: 1}
	f := func(name string, entry func(server, worker proc.ID) ledger.Entry, kill bool) {
		t.Run(name, func(t *testing.T) {
			server, worker := session(t)
			path := written(t, proc.Boot(), entry(server, worker))
			if kill { // as the kernel does when the guard dies
				server.Signal(syscall.SIGKILL)
				for server.Alive() {
					time.Sleep(time.Millisecond)
				}
			}
			if found := endLeft(t, path); !slices.Equal(found, []string{"m-0"}) {
				t.Errorf("found %v", found)
			}
			if !dead(server) || !dead(worker) {
				t.Errorf("server %v, worker %v", server.Alive(), worker.Alive())
			}
			if found := endLeft(t, path); found != nil {
				t.Errorf("a second time there was %v", found)
			}
		})
	}
	f("a server whose workers were not known yet", func(server, _ proc.ID) ledger.Entry { return ledger.Entry{Guard: gone, Server: server} }, false)
	f("a worker whose server is dead", func(server, worker proc.ID) ledger.Entry {
		return ledger.Entry{Guard: gone, Server: server, Workers: []proc.ID{worker}}
	}, true)
	f("a guard that hangs", func(server, _ proc.ID) ledger.Entry { return ledger.Entry{Guard: server, Server: gone} }, false)
}

// TestGuardThatEndsMeanwhile: what was below it is ended too.
func TestGuardThatEndsMeanwhile(t *testing.T) {
	guard, worker := session(t)
	path := written(t, proc.Boot(), ledger.Entry{Guard: guard, Server: proc.ID{PID: 1 << 22, Start: 1}})
	log := zaptest.NewLogger(t, zaptest.WrapOptions(zap.Hooks(func(zapcore.Entry) error { // once it was found
		guard.Signal(syscall.SIGKILL)
		for guard.Alive() {
			time.Sleep(time.Millisecond)
		}
		return nil
	})))
	ledger.Open(path, log).EndLeft(t.Context(), time.Minute)
	if !dead(worker) {
		t.Error("the worker lives")
	}
}

// TestStrangersAreLeftAlone has files that name living processes which are not what was meant when they were written.
func TestStrangersAreLeftAlone(t *testing.T) {
	server, worker := session(t)
	other := func(id proc.ID) proc.ID { return proc.ID{PID: id.PID, Start: id.Start - 1} }
	for name, path := range map[string]string{
		"numbers given away again": written(t, proc.Boot(), ledger.Entry{Guard: other(worker), Server: other(server), Workers: []proc.ID{other(worker)}}),
		// The leader of the session is dead, and its number was that of a server: not a proof that the session is.
		"a session of that number": written(t, proc.Boot(), ledger.Entry{Server: other(server)}),
		"another boot":             written(t, "another", ledger.Entry{Guard: worker, Server: server, Workers: []proc.ID{worker}}),
		"no boot":                  written(t, "", ledger.Entry{Guard: worker, Server: server}),
		"nothing":                  written(t, proc.Boot(), ledger.Entry{}),
	} {
		if found := endLeft(t, path); found != nil || dead(server) || dead(worker) {
			t.Errorf("%s: found %v, server lives: %t, worker lives: %t", name, found, server.Alive(), worker.Alive())
		}
	}
}

func TestFilesThatAreNone(t *testing.T) {
	for name, content := range map[string]string{"torn": `{"boot": "x", "serv`, "a list": "[]", "empty": ""} {
		path := filepath.Join(t.TempDir(), "running.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		core, log := observer.New(zap.ErrorLevel)
		l := ledger.Open(path, zap.New(core))
		if found := l.EndLeft(t.Context(), time.Hour); found != nil || log.Len() != 1 {
			t.Errorf("%s: found %v, %d lines of log", name, found, log.Len())
		}
		l.Remove("") // writes
		if found := endLeft(t, path); found != nil {
			t.Errorf("%s: then found %v", name, found)
		}
	}
}

// TestFileFollows reads the file after each change, as a successor would find it.
func TestFileFollows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "running.json")
	server, worker := session(t)
	l := ledger.Open(path, zaptest.NewLogger(t))
	l.Enter("m-0", ledger.Entry{Guard: named(t, os.Getpid()), Server: server})
	l.Enter("n-0", ledger.Entry{Server: worker})
	if known := l.Look("m-0"); !slices.Equal(known, []proc.ID{server, worker}) {
		t.Errorf("the server is %v", known)
	}
	l.Remove("n-0")
	text, err := os.ReadFile(path)
	if want := fmt.Sprintf(`"workers":[{"pid":%d,"start":%d}]`, worker.PID, worker.Start); err != nil || !strings.Contains(strings.Join(strings.Fields(string(text)), ""), want) {
		t.Errorf("%v, %s lacks %s", err, text, want)
	}
	if strings.Contains(string(text), "n-0") || l.Look("n-0") != nil {
		t.Errorf("what was removed is still there: %s", text)
	}
}

// TestDiskIsFull has a place where nothing can be written: it is told, and all else goes on.
func TestDiskIsFull(t *testing.T) {
	core, log := observer.New(zap.ErrorLevel)
	l := ledger.Open(filepath.Join(t.TempDir(), "no", "folder", "running.json"), zap.New(core))
	server, _ := session(t)
	l.Enter("m-0", ledger.Entry{Guard: named(t, os.Getpid()), Server: server})
	if log.Len() != 1 || len(l.Look("m-0")) != 2 {
		t.Errorf("%d lines of log, the server is %v", log.Len(), l.Look("m-0"))
	}
}

package dockerproxy_test

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/dockerproxy"
	"github.com/fluidmcp/fluidmcp/services/supervisor/engine"
)

// TestLifeOfAContainer does through the proxy what the supervisor does.
func TestLifeOfAContainer(t *testing.T) {
	r := newRig(t)
	c := r.client(t)
	all, err := c.List(t.Context())
	if err != nil || len(all) != 1 || !all[0].Named("model") || all[0].Labels[engine.ModelLabel] != "llama" {
		t.Fatalf("list %+v, %v", all, err)
	}
	id := all[0].ID
	for range 2 {
		if err := c.Start(t.Context(), "model"); err != nil {
			t.Fatal(err)
		}
	}
	found, err := c.Inspect(t.Context(), id[:12])
	if err != nil || !found.State.Running || found.ID != id || found.State.StartedAt.IsZero() {
		t.Errorf("inspect %+v, %v", found, err)
	}

	log, err := c.Logs(t.Context(), id, engine.Listen{Since: time.Unix(1, 20), Tail: 5, Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	lines := make(chan string)
	over := make(chan error, 1)
	go func() {
		over <- engine.Demultiplex(writer(func(p []byte) (int, error) { lines <- string(p); return len(p), nil }), log)
	}()
	for _, line := range []string{"one\n", "two\n"} { // each has to come before the next one is written
		r.engine.Do(func() { r.box.Print(strings.TrimSpace(line)) })
		if got := <-lines; got != line {
			t.Errorf("log %q", got)
		}
	}
	code, waiting := make(chan int, 1), make(chan struct{})
	go func() {
		n, err := c.Wait(t.Context(), id, func() error { close(waiting); return nil })
		if err != nil {
			t.Error(err)
		}
		code <- n
	}()
	<-waiting
	if err := c.Stop(t.Context(), id, 3*time.Second); err != nil {
		t.Error(err)
	}
	if n := <-code; n != 0 {
		t.Errorf("exit code %d", n)
	}
	if err := <-over; err != nil {
		t.Errorf("end of the log: %v", err)
	}
	if err := c.Kill(t.Context(), id); err != nil {
		t.Error(err)
	}
	want := "stop t=3, kill"
	r.engine.Do(func() {
		if got := strings.Join(r.box.Stops, ", "); got != want {
			t.Errorf("it was asked to %s", got)
		}
	})
	if asked := strings.Join(r.engine.Requests(), "\n"); !strings.Contains(asked, "/logs?follow=1&since=1.000000020&stderr=1&stdout=1&tail=5") {
		t.Errorf("asked %s", asked)
	}
	r.harmless(t)
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestStrangersDoNotExist(t *testing.T) {
	r := newRig(t)
	for _, name := range append([]string{"nobody"}, strangers...) {
		for _, call := range []string{"GET json", "POST start", "POST stop", "POST kill", "POST wait", "GET logs"} {
			method, verb, _ := strings.Cut(call, " ")
			resp, body := r.ask(t, method+" /v1.41/containers/"+name+"/"+verb+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			if want := `{"message":"No such container: ` + name + `"}`; resp.StatusCode != http.StatusNotFound || body != want {
				t.Errorf("%s of %s: %d %s", call, name, resp.StatusCode, body)
			}
		}
	}
	if acted := r.acted(); len(acted) > 0 {
		t.Errorf("the engine was asked %q", acted)
	}
	// An id's beginning leads to its container, and is judged by that one's labels.
	id := r.engine.Add("late", engine.ProjectLabel, "ours").ID
	if _, err := r.client(t).Inspect(t.Context(), id[:12]); !engine.NotFound(err) {
		t.Errorf("by the beginning of its id: %v", err)
	}
	r.harmless(t)
}

// TestNothingElseIsTold looks for what the engine says of a container beside what the supervisor needs.
func TestNothingElseIsTold(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/containers/json", "/containers/json?all=1", "/containers/model/json"} {
		resp, body := r.ask(t, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if resp.StatusCode != http.StatusOK || !strings.Contains(body, r.box.ID) || strings.Contains(body, "secret") {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
		for _, name := range strangers {
			if strings.Contains(body, name) {
				t.Errorf("%s tells of %s: %s", path, name, body)
			}
		}
	}
	r.engine.Remove(r.box)
	if _, body := r.ask(t, "GET /containers/json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); strings.TrimSpace(body) != "[]" {
		t.Errorf("an empty list is %s", body)
	}
}

func TestFailuresOfTheEngineAreToldOn(t *testing.T) {
	r := newRig(t)
	r.engine.Do(func() { r.box.Run(); r.box.Stuck, r.box.NoLog = true, true })
	c := r.client(t)
	if err := c.Stop(t.Context(), "model", 0); err == nil || !strings.Contains(err.Error(), "did not receive an exit event") {
		t.Errorf("%v", err)
	}
	if _, err := c.Logs(t.Context(), "model", engine.Listen{}); err == nil || !strings.Contains(err.Error(), "does not support reading") {
		t.Errorf("%v", err)
	}
	r.engine.Down()
	for name, err := range map[string]error{"ping": second(c.Ping(t.Context())), "start": c.Start(t.Context(), "model")} {
		if err == nil || !strings.Contains(err.Error(), r.engine.Socket) {
			t.Errorf("%s without an engine: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestClientsThatLeaveLeaveNothing waits for a container that does not end. goleak finds what stays.
func TestClientsThatLeaveLeaveNothing(t *testing.T) {
	r := newRig(t)
	r.engine.Do(r.box.Run)
	conn, err := net.Dial("unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("POST /containers/model/wait HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); len(r.acted()) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the engine was not asked")
		}
	}
	_ = conn.Close()
	for deadline := time.Now().Add(patience); r.log.FilterMessageSnippet("").Len() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the call goes on without its client")
		}
	}
}

func TestSocketOfAPredecessor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	first, err := dockerproxy.Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if _, err := dockerproxy.Listen(t.Context(), path); err == nil || !strings.Contains(err.Error(), "another proxy answers there") {
		t.Errorf("beside one that answers: %v", err)
	}
	first.(*net.UnixListener).SetUnlinkOnClose(false) // as after SIGKILL
	_ = first.Close()
	second, err := dockerproxy.Listen(t.Context(), path)
	if err != nil {
		t.Fatalf("after one that is gone: %v", err)
	}
	_ = second.Close()
	if _, err := dockerproxy.Listen(t.Context(), filepath.Join(t.TempDir(), "no", "folder")); err == nil {
		t.Error("no error without the folder")
	}
}

func TestConfigTellsAllFaults(t *testing.T) {
	_, err := dockerproxy.New(dockerproxy.Config{Listen: "x", Engine: "tcp://y", LogLevel: "loud"}, nil)
	for _, want := range []string{"DOCKERPROXY_LISTEN", "DOCKERPROXY_ENGINE", "DOCKERPROXY_PROJECT", "DOCKERPROXY_LOG_LEVEL"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
	cfg := dockerproxy.Default()
	cfg.Project = "ours"
	if err := cfg.Validate(); err != nil {
		t.Errorf("the defaults with a project: %v", err)
	}
}

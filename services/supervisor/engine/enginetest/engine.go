package enginetest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Engine answers on a unix socket as Engine 20.10 does, as far as package engine asks. It makes up for what a container does: a test
// says when one ends and what it prints.
type Engine struct {
	Socket string

	t      testing.TB
	server *httptest.Server

	mu         sync.Mutex
	containers []*Container
	requests   []string
	changed    chan struct{} // closed at every change
}

// Container is one of an Engine. Its fields are read and written through Engine.Do.
type Container struct {
	ID, Name string
	Labels   map[string]string
	Running  bool
	Deaf     bool // only Kill ends it
	Stuck    bool // stop and kill fail
	Slow     bool // it does not start as long as this holds
	NoLog    bool // its log driver only writes
	Tty      bool
	Restarts int    // by the engine
	OOM      bool   // of the last run
	Code     int    // of the last run
	Log      []byte // of the present run, in frames unless Tty
	Began    time.Time
	Finished time.Time
	Stops    []string // how it was asked to stop: "stop t=15", "kill"

	ends int // of runs
}

// New starts an engine that ends with the test.
func New(t testing.TB) *Engine {
	t.Helper()
	folder, err := os.MkdirTemp("", "engine") // a test's own folder may have too long a name for a socket
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{Socket: filepath.Join(folder, "docker.sock"), t: t, changed: make(chan struct{})}
	e.Up()
	t.Cleanup(func() {
		e.Down()
		_ = os.RemoveAll(folder)
	})
	return e
}

// Up starts to answer.
func (e *Engine) Up() {
	e.t.Helper()
	ln, err := net.Listen("unix", e.Socket)
	if err != nil {
		e.t.Fatal(err)
	}
	e.server = &httptest.Server{Listener: ln, Config: &http.Server{Handler: e, ReadHeaderTimeout: time.Minute}}
	e.server.Start()
}

// Down breaks all connections and answers no more. Containers go on.
func (e *Engine) Down() {
	e.server.CloseClientConnections()
	e.server.Close()
}

// Add creates a container with the labels, given as pairs. It does not run.
func (e *Engine) Add(name string, labels ...string) *Container {
	sum := sha256.Sum256([]byte(name))
	c := &Container{ID: hex.EncodeToString(sum[:]), Name: name, Labels: map[string]string{}}
	for i := 0; i < len(labels); i += 2 {
		c.Labels[labels[i]] = labels[i+1]
	}
	e.Do(func() { e.containers = append(e.containers, c) })
	return c
}

// Do changes containers, or looks at them, while nobody else does.
func (e *Engine) Do(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
	close(e.changed)
	e.changed = make(chan struct{})
}

// Run begins a run. Within Do.
func (c *Container) Run() {
	c.Running, c.Began, c.Log, c.OOM = true, time.Now(), nil, false
}

// End ends the run. Within Do.
func (c *Container) End(code int) {
	c.Running, c.Code, c.Finished = false, code, time.Now()
	c.ends++
}

// Print adds a line to the log. Within Do.
func (c *Container) Print(line string) { c.Log = append(c.Log, Frame(1, line+"\n")...) }

// Frame is one frame of a log.
func Frame(stream byte, text string) []byte {
	n := len(text)
	return append([]byte{stream, 0, 0, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, text...)
}

// Requests returns what was asked so far, as "METHOD target" and, where there was one, " with a body".
func (e *Engine) Requests() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.requests...)
}

// ServeHTTP answers one call.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	note := r.Method + " " + r.RequestURI
	if len(body) > 0 {
		note += " with a body"
	}
	e.Do(func() { e.requests = append(e.requests, note) })
	w.Header().Set("Api-Version", "1.41")
	path := strings.TrimPrefix(r.URL.Path, "/v1.41")
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	switch {
	case path == "/_ping":
		_, _ = io.WriteString(w, "OK")
	case path == "/containers/json":
		e.list(w)
	case len(parts) == 3 && parts[0] == "containers":
		c := e.find(parts[1])
		if c == nil {
			fail(w, http.StatusNotFound, "No such container: "+parts[1])
			return
		}
		e.call(w, r, c, parts[2])
	default:
		fail(w, http.StatusNotFound, "page not found")
	}
}

func fail(w http.ResponseWriter, status int, message string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

func (e *Engine) find(id string) *Container {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.containers {
		if c.Name == id || len(id) >= 4 && strings.HasPrefix(c.ID, id) {
			return c
		}
	}
	return nil
}

// Remove forgets the container, as docker rm does.
func (e *Engine) Remove(gone *Container) {
	e.Do(func() {
		for i, c := range e.containers {
			if c == gone {
				e.containers = append(e.containers[:i:i], e.containers[i+1:]...)
				return
			}
		}
	})
}

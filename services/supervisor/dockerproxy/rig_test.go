package dockerproxy_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fluidmcp/fluidmcp/services/supervisor/dockerproxy"
	"github.com/fluidmcp/fluidmcp/services/supervisor/engine"
	"github.com/fluidmcp/fluidmcp/services/supervisor/engine/enginetest"
)

// patience bounds what must happen; it only ends a test that fails.
const patience = time.Minute

// rig is a proxy for the compose project "ours", in front of an engine with one container that may be reached and some that may not.
type rig struct {
	engine *enginetest.Engine
	box    *enginetest.Container // "model", the one that may be reached
	socket string                // of the proxy
	log    *observer.ObservedLogs
}

// strangers are the names of the containers that may not be reached.
var strangers = []string{"unmarked", "elsewhere", "hollow", "loose"}

func newRig(t testing.TB) *rig {
	t.Helper()
	e := enginetest.New(t)
	const model, project = engine.ModelLabel, engine.ProjectLabel
	r := &rig{engine: e, box: e.Add("model", model, "llama", project, "ours")}
	e.Add("unmarked", project, "ours")
	e.Add("elsewhere", model, "llama", project, "theirs")
	e.Add("hollow", model, "", project, "ours")
	e.Add("loose", model, "llama")

	folder, err := os.MkdirTemp("", "proxy") // a test's own folder may have too long a name for a socket
	if err != nil {
		t.Fatal(err)
	}
	r.socket = filepath.Join(folder, "docker.sock")
	ln, err := dockerproxy.Listen(t.Context(), r.socket)
	if err != nil {
		t.Fatal(err)
	}
	core, seen := observer.New(zap.InfoLevel)
	r.log = seen
	proxy, err := dockerproxy.New(dockerproxy.Config{Listen: r.socket, Engine: e.Socket, Project: "ours", LogLevel: "info"}, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- proxy.Run(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		_ = os.RemoveAll(folder)
	})
	return r
}

// client is what the supervisor uses.
func (r *rig) client(t testing.TB) *engine.Client {
	c := engine.New(r.socket)
	t.Cleanup(c.Close)
	return c
}

// raw sends bytes on a connection of their own and returns the answers that come before the proxy closes it. With over the client
// closes its side after them, which the proxy takes for a client that has left.
func (r *rig) raw(t testing.TB, bytes string, over bool) string {
	t.Helper()
	conn, err := net.Dial("unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, bytes); err != nil {
		return "" // it was refused before all was sent
	}
	if over {
		_ = conn.(*net.UnixConn).CloseWrite()
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

// ask sends one request and returns the answer.
func (r *rig) ask(t testing.TB, request string) (*http.Response, string) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(r.raw(t, request, false))), nil)
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body) // what a closed connection cuts off is part of the answer all the same
	return resp, string(body)
}

// harmless is what the engine may be asked by whoever talks to the proxy: about any container what it is, and all else about ours alone.
func (r *rig) harmless(t testing.TB) {
	t.Helper()
	allowed := regexp.MustCompile(`^(GET /_ping|GET /v1\.41/containers/json\?all=1|GET /v1\.41/containers/[A-Za-z0-9][A-Za-z0-9_.-]*/json` +
		`|(POST|GET) /v1\.41/containers/` + r.box.ID + `/(json|start|stop\?t=\d+|kill|wait\?condition=not-running|logs\?[a-z0-9=&.]*))$`)
	for _, request := range r.engine.Requests() {
		if !allowed.MatchString(request) {
			t.Errorf("the engine was asked %q", request)
		}
	}
}

// acted are the requests at the engine that change something.
func (r *rig) acted() []string {
	var out []string
	for _, request := range r.engine.Requests() {
		if !strings.HasPrefix(request, "GET ") {
			out = append(out, request)
		}
	}
	return out
}

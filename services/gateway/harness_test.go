package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway"
)

// patience bounds every wait of these tests. It is reached only when something is broken.
const patience = time.Minute

// inTime tries what has to happen within a time. On a busy machine that may be too short, so it is tried again with twice the time,
// until try is content.
func inTime(try func(limit time.Duration) bool) {
	limit := time.Second
	for limit < patience && !try(limit) {
		limit *= 2
	}
}

// front is a running gateway with its supervisor.
type front struct {
	*supervisor
	t    *testing.T
	url  string
	logs *logBuffer
	stop func() error // asks the gateway to stop and waits for it
}

// start runs a gateway over the given models and waits until it has applied them.
func start(t *testing.T, change func(*gateway.Config), models ...fleet.Model) *front {
	t.Helper()
	s := newSupervisor(t)
	f := startAt(t, s, change)
	f.deploy(models...)
	return f
}

// startAt runs a gateway at a supervisor that has published nothing yet.
func startAt(t *testing.T, s *supervisor, change func(*gateway.Config)) *front {
	t.Helper()
	cfg := gateway.Default()
	cfg.SupervisorURL = s.URL
	cfg.DrainTimeout = patience
	if change != nil {
		change(&cfg)
	}
	logs := &logBuffer{}
	core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), logs, zap.DebugLevel)
	g, err := gateway.New(cfg, gateway.Deps{Log: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx, ln) }()
	f := &front{supervisor: s, t: t, url: "http://" + ln.Addr().String(), logs: logs}
	f.stop = sync.OnceValue(func() error {
		cancel()
		http.DefaultClient.CloseIdleConnections()
		return <-ended
	})
	t.Cleanup(func() {
		if err := f.stop(); err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
	})
	return f
}

// deploy publishes models and waits until the gateway says that they are in force.
func (f *front) deploy(models ...fleet.Model) {
	f.t.Helper()
	revision := f.publish(models...)
	f.awaitBeat(f.t, "the new revision", func(hb fleet.Heartbeat) bool { return hb.Revision == revision })
}

// answer is a response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

// code is the code of an error envelope.
func (a answer) code() string {
	var e struct {
		Error struct{ Code, Message, Type string }
	}
	if json.Unmarshal([]byte(a.body), &e) != nil || e.Error.Message == "" || e.Error.Type == "" {
		return "no envelope: " + a.body
	}
	return e.Error.Code
}

func (f *front) do(method, path, body string, header ...string) answer {
	f.t.Helper()
	resp := f.open(f.t.Context(), method, path, body, header...)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(data), err}
}

func (f *front) post(path, body string) answer { f.t.Helper(); return f.do("POST", path, body) }

// open sends a request and returns the answer unread. header is a list of names and values.
func (f *front) open(ctx context.Context, method, path, body string, header ...string) *http.Response {
	f.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	req.Host = req.Header.Get("Host") // "" is the address
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp
}

// metric is the value of one series of the gateway, 0 when it does not exist. series is name{labels} as exposed.
func (f *front) metric(series string) float64 {
	f.t.Helper()
	for line := range strings.Lines(f.do("GET", "/metrics", "").body) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			var v float64
			if _, err := fmt.Sscan(rest, &v); err != nil {
				f.t.Fatalf("%s: %v", line, err)
			}
			return v
		}
	}
	return 0
}

// awaitMetric waits for a value: a request is recorded just after its last byte went out.
func (f *front) awaitMetric(series string, want float64) {
	f.t.Helper()
	await(f.t, fmt.Sprintf("%s = %v, have %v", series, want, f.metric(series)), func() bool { return f.metric(series) == want })
}

// await polls until ok. The pauses are short and only the bound is generous.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// logBuffer collects the log lines of a gateway.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) Sync() error { return nil }

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// model is a ready model with the given backends, named id-0, id-1 and so on.
func model(id string, urls ...string) fleet.Model {
	m := fleet.Model{ID: id, ServedName: id + "-served", Phase: fleet.Ready}
	for i, u := range urls {
		m.Backends = append(m.Backends, fleet.Backend{ID: fmt.Sprintf("%s-%d", id, i), URL: u, Routable: true, Weight: 1})
	}
	return m
}

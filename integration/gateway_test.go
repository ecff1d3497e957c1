package integration

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// The gateway as a process of its own: the supervisor is a feed that says what a test wants, the model servers are mocks of
// package mockvllmtest, whose journals tell what reached them.

// gatewayBinary builds the gateway once for all tests.
var gatewayBinary = sync.OnceValues(func() (string, error) { return build("./services/gateway/cmd/gateway", raceDetector()...) })

// quickGateway is the same without the race detector, for what is measured.
var quickGateway = sync.OnceValues(func() (string, error) { return build("./services/gateway/cmd/gateway") })

// feed is the supervisor's side of a gateway: it sends the snapshots that a test publishes.
type feed struct {
	*httptest.Server
	token string // asked of gateways; "" asks none

	mu       sync.Mutex
	last     []byte            // what is sent: data of an event
	revision uint64            // of last
	news     chan struct{}     // closed when last is replaced
	applied  map[string]uint64 // by gateway
}

func newFeed(t testing.TB) *feed {
	t.Helper()
	f := &feed{news: make(chan struct{}), applied: map[string]uint64{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/fleet", f.watch)
	mux.HandleFunc("POST /v1/gateways/{id}/heartbeat", f.heartbeat)
	mux.HandleFunc("DELETE /v1/gateways/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	f.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		f.CloseClientConnections()
		f.Close()
	})
	return f
}

func (f *feed) watch(w http.ResponseWriter, r *http.Request) {
	if f.token != "" && r.Header.Get("Authorization") != "Bearer "+f.token {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		f.mu.Lock()
		data, news := f.last, f.news
		f.mu.Unlock()
		if data != nil {
			fmt.Fprintf(w, "data: %s\n\n", data)
		}
		_ = http.NewResponseController(w).Flush() // a gateway that left ends the request
		select {
		case <-news:
		case <-r.Context().Done():
			return
		}
	}
}

func (f *feed) heartbeat(w http.ResponseWriter, r *http.Request) {
	var beat fleet.Heartbeat
	if err := json.NewDecoder(r.Body).Decode(&beat); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	f.applied[r.PathValue("id")] = beat.Revision
	f.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// publish sends a new snapshot.
func (f *feed) publish(t testing.TB, models ...fleet.Model) {
	t.Helper()
	data, err := json.Marshal(fleet.Snapshot{Epoch: "test", Revision: f.revision + 1, Models: models})
	if err != nil {
		t.Fatal(err)
	}
	f.say(data)
}

// say sends data in place of a snapshot.
func (f *feed) say(data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = data
	f.revision++
	close(f.news)
	f.news = make(chan struct{})
}

// served is a ready model whose servers call it mock-model.
func served(id string, urls ...string) fleet.Model {
	m := fleet.Model{ID: id, ServedName: "mock-model", Phase: fleet.Ready}
	for i, url := range urls {
		m.Backends = append(m.Backends, fleet.Backend{ID: fmt.Sprintf("%s-%d", id, i), URL: url, Routable: true, Weight: 1})
	}
	return m
}

// gatewayProcess is a running gateway.
type gatewayProcess struct {
	*command
	id, addr string
	url      string // without a slash at the end
}

// startGateway runs a gateway and waits until it serves. It ends with the test. env are settings such as
// GATEWAY_LOG_LEVEL=debug.
func startGateway(t testing.TB, program func() (string, error), supervisor string, env ...string) *gatewayProcess {
	t.Helper()
	cmd := exec.Command(built(t, program))
	cmd.Env = append([]string{"GATEWAY_ADDR=127.0.0.1:0", "GATEWAY_SUPERVISOR_URL=" + supervisor}, env...)
	g := &gatewayProcess{command: start(t, cmd)}
	var line struct{ ID, Addr string }
	if err := json.Unmarshal([]byte(g.waitLine(t, `"serving"`)), &line); err != nil {
		t.Fatal(err)
	}
	g.id, g.addr, g.url = line.ID, line.Addr, "http://"+line.Addr
	return g
}

// startFed runs a gateway that has put in force what the feed says.
func startFed(t *testing.T, f *feed, env ...string) *gatewayProcess {
	t.Helper()
	g := startGateway(t, gatewayBinary, f.URL, env...)
	f.await(t, g)
	return g
}

// await waits until the gateways say that they have put the last snapshot in force.
func (f *feed) await(t testing.TB, gateways ...*gatewayProcess) {
	t.Helper()
	eventually(t, func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, g := range gateways {
			if f.applied[g.id] != f.revision {
				return fmt.Errorf("%s has revision %d, want %d", g.id, f.applied[g.id], f.revision)
			}
		}
		return nil
	})
}

// door is a way in which clients speak to a gateway.
type door struct {
	*gatewayProcess
	protocol string
	client   *http.Client
}

// doors are all ways. Those without TLS lead to one process, the other one to a second.
func doors(t *testing.T, f *feed, env ...string) []*door {
	t.Helper()
	plain := startFed(t, f, env...)
	cert := newCertificate(t, t.TempDir(), "gateway")
	secure := startFed(t, f, append(env, cert.env()...)...)
	secure.url = "https://" + secure.addr
	return []*door{
		newDoor(t, plain, "HTTP/1.1", nil, func(p *http.Protocols) { p.SetHTTP1(true) }),
		newDoor(t, plain, "h2c", nil, func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }),
		newDoor(t, secure, "TLS HTTP2", cert.trusted(t), func(p *http.Protocols) { p.SetHTTP2(true) }),
	}
}

func newDoor(t testing.TB, g *gatewayProcess, protocol string, trust *tls.Config, speak func(*http.Protocols)) *door {
	t.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: trust}
	speak(transport.Protocols)
	t.Cleanup(transport.CloseIdleConnections)
	return &door{gatewayProcess: g, protocol: protocol, client: &http.Client{Transport: transport}}
}

// request builds a request to the gateway. header is a list of names and values.
func (d *door) request(t testing.TB, method, path string, body io.Reader, header ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, d.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req
}

// ask sends a request and reads the answer.
func (d *door) ask(t testing.TB, method, path, body string, header ...string) answer {
	t.Helper()
	a, err := d.try(t, method, path, body, header...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (d *door) try(t testing.TB, method, path, body string, header ...string) (answer, error) {
	t.Helper()
	resp, err := d.client.Do(d.request(t, method, path, strings.NewReader(body), header...))
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, b}, err
}

// metrics reads the gateway's.
func (d *door) metrics(t *testing.T) scrape {
	t.Helper()
	return parseMetrics(t, d.ask(t, http.MethodGet, "/metrics", "").want(t, http.StatusOK).body)
}

// awaitSum waits until a metric is want.
func (d *door) awaitSum(t *testing.T, want float64, name string, labels ...string) {
	t.Helper()
	eventually(t, func() error {
		if got := d.metrics(t).sum(name, labels...); got != want {
			return fmt.Errorf("%s%v is %v, want %v", name, labels, got, want)
		}
		return nil
	})
}

// raw opens a connection to the gateway and sends text on it.
func (g *gatewayProcess) raw(t *testing.T, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

package integration

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway/keys"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/mockvllmtest"
)

// keyFile writes a file of keys with these ids and returns their secrets.
func keyFile(t *testing.T, path string, ids ...string) []string {
	t.Helper()
	text, secrets := "keys:\n", []string{}
	for _, id := range ids {
		secret, hash := keys.New()
		secrets = append(secrets, secret)
		text += fmt.Sprintf("  - {id: %s, hash: %q}\n", id, hash)
	}
	writeFile(t, path, text)
	return secrets
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What changes while the gateway runs counts for what comes then, and no stream that runs notices: keys, certificate and models.
// What is broken is refused aloud, and what was in force stays.
func TestGatewayReloads(t *testing.T) {
	t.Parallel()
	mock := mockvllmtest.Start(t, mockvllmtest.VirtualClock(), mockvllmtest.Latency(time.Second, time.Second), mockvllmtest.Answers("random"))
	other := mockvllmtest.Start(t)
	dir := t.TempDir()
	keysPath := filepath.Join(dir, "keys.yaml")
	first := keyFile(t, keysPath, "first")[0]
	cert := newCertificate(t, dir, "one")
	f := newFeed(t)
	f.publish(t, served("m", mock.URL))
	g := startFed(t, f, append(cert.env(), "GATEWAY_KEYS_FILE="+keysPath)...)
	g.url = "https://" + g.addr
	connect := func() *door {
		return newDoor(t, g, "TLS HTTP2", &tls.Config{InsecureSkipVerify: true}, func(p *http.Protocols) { p.SetHTTP2(true) })
	}
	old := connect()
	const tokens = 5
	opened := make(chan *http.Response, 1)
	go func() {
		body := strings.Replace(endless(true), "20000", fmt.Sprint(tokens), 1)
		resp, err := old.client.Do(old.request(t, http.MethodPost, chatOfM, strings.NewReader(body), "X-Api-Key", first))
		if err != nil {
			t.Error(err)
		}
		opened <- resp
	}()
	awaitRunning(t, mock, 1)
	mock.Advance(time.Second)
	running := <-opened
	defer running.Body.Close()

	// In force: each in turn.
	ask := func(d *door, model, secret string) int {
		t.Helper()
		return d.ask(t, http.MethodPost, "/llm/"+model+"/chat/completions", oneWord, "X-Api-Key", secret).status
	}
	inForce := func(model, secret, name string) {
		t.Helper()
		eventually(t, func() error {
			d := connect()
			resp, err := d.client.Do(d.request(t, http.MethodGet, "/health", nil))
			if err != nil {
				return err
			}
			resp.Body.Close()
			if got := resp.TLS.PeerCertificates[0].Subject.CommonName; got != name {
				return fmt.Errorf("certificate %s, want %s", got, name)
			}
			if status := ask(d, model, secret); status != http.StatusOK {
				return fmt.Errorf("model %s with its key: %d", model, status)
			}
			return nil
		})
	}
	f.publish(t, served("n", other.URL))
	f.await(t, g)
	inForce("n", first, "one")
	if status := ask(old, "m", first); status != http.StatusNotFound {
		t.Errorf("a model that is gone: %d", status)
	}
	second := keyFile(t, keysPath, "second")[0]
	inForce("n", second, "one")
	if status := ask(old, "n", first); status != http.StatusUnauthorized {
		t.Errorf("a key that is gone: %d", status)
	}
	newCertificate(t, dir, "two")
	inForce("n", second, "two")

	// Broken: each leaves things as they are, and is told of.
	d := connect()
	refused := func(file, line string) {
		t.Helper()
		g.waitLine(t, line)
		d.awaitSum(t, 1, "fluidmcp_reload_failures_total", "file", file)
		inForce("n", second, "two")
	}
	writeFile(t, keysPath, "keys: {")
	refused("keys", "key file refused")
	writeFile(t, cert.certFile, "no certificate")
	refused("certificate", "certificate refused")
	f.say([]byte(`{"epoch":`))
	g.waitLine(t, "what is known stays in force")
	inForce("n", second, "two")
	f.publish(t, served("n", other.URL))
	f.await(t, g)
	inForce("n", second, "two")

	// The stream is none the wiser.
	for range tokens {
		mock.Advance(time.Second)
	}
	rest, err := io.ReadAll(running.Body)
	if err != nil || !strings.HasSuffix(string(rest), "data: [DONE]\n\n") {
		t.Errorf("the stream of before: %q, %v", rest, err)
	}
}

// A snapshot whose backend has no usable address takes the others in force and says which one it is.
func TestGatewayNamesABadBackend(t *testing.T) {
	t.Parallel()
	mock, f := mockvllmtest.Start(t), newFeed(t)
	f.publish(t, served("m", mock.URL))
	d := newDoor(t, startFed(t, f), "HTTP/1.1", nil, func(p *http.Protocols) { p.SetHTTP1(true) })
	f.publish(t, served("m", "://nowhere", mock.URL), served("n", mock.URL))
	f.await(t, d.gatewayProcess)
	d.waitLine(t, `bad URL`)
	for _, model := range []string{"m", "n", "m"} {
		d.ask(t, http.MethodPost, "/llm/"+model+"/chat/completions", oneWord).want(t, http.StatusOK)
	}
}

// The supervisor is never in the way of a request: when it is killed, what runs goes on, and what comes is answered.
func TestGatewayWithoutItsSupervisor(t *testing.T) {
	t.Parallel()
	mock := mockvllmtest.Start(t, mockvllmtest.VirtualClock(), mockvllmtest.Latency(time.Second, time.Second), mockvllmtest.Answers("random"))
	file := modelsFile(t, map[string]any{"m": map[string]any{"endpoints": map[string]string{"base_url": mock.URL + "/v1"}, "served_name": "mock-model"}})
	addr := fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0])
	supervise := func() *command {
		cmd := exec.Command(built(t, supervisorBinary))
		cmd.Env = append(os.Environ(), "SUPERVISOR_ADDR="+addr, "SUPERVISOR_MODELS="+file)
		return start(t, cmd)
	}
	supervisor := supervise()
	d := newDoor(t, startGateway(t, gatewayBinary, "http://"+addr), "HTTP/1.1", nil, func(p *http.Protocols) { p.SetHTTP1(true) })
	connected := func(want float64) { t.Helper(); d.awaitSum(t, want, "fluidmcp_supervisor_connected") }
	up := func() {
		t.Helper()
		eventually(t, func() error {
			if a := d.ask(t, http.MethodGet, "/v1/models", ""); !strings.Contains(string(a.body), `"phase":"`+string(fleet.Ready)) {
				return fmt.Errorf("%s", a.body)
			}
			return nil
		})
	}
	connected(1)
	up()
	ask := func(tokens int) <-chan answer {
		done := make(chan answer, 1)
		go func() {
			a, err := d.try(t, http.MethodPost, chatOfM, strings.Replace(endless(true), "20000", fmt.Sprint(tokens), 1))
			if err != nil {
				t.Error(err)
			}
			done <- a
		}()
		return done
	}
	whole := func(answered <-chan answer) {
		t.Helper()
		if a := <-answered; a.status != http.StatusOK || !strings.HasSuffix(string(a.body), "data: [DONE]\n\n") {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	running := ask(4)
	awaitRunning(t, mock, 1)
	mock.Advance(time.Second)
	supervisor.end(t, syscall.SIGKILL)
	connected(0)
	late := ask(2)
	awaitRunning(t, mock, 2)
	for range 5 {
		mock.Advance(time.Second)
	}
	whole(running)
	whole(late)
	if a := d.ask(t, http.MethodGet, "/ready", ""); a.status != http.StatusOK {
		t.Errorf("/ready: %d %s", a.status, a.body)
	}
	supervise()
	connected(1)
	up()
	last := ask(1)
	awaitRunning(t, mock, 1)
	mock.Advance(time.Second)
	whole(last)
}

// supervisorBinary builds the supervisor once for all tests.
var supervisorBinary = sync.OnceValues(func() (string, error) { return build("./services/supervisor/cmd/supervisor", raceDetector()...) })

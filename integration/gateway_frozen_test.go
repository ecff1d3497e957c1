package integration

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// A gateway that has no processor for longer than its servers may be silent does not blame them: what they have said meanwhile counts,
// and a connection that could not be made in time is tried once more.
func TestGatewayFrozen(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: the gateway stands still for longer than the shortest timeout that a slow machine keeps")
	}
	const (
		limit = 10 * time.Second // for each step of a server
		each  = 6                // requests for each model
		first = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
	)
	busy, goOn := make(chan bool, 100), make(chan struct{})
	wait := func() { busy <- true; <-goOn }
	start := func(secure *tls.Config, play func(w http.ResponseWriter)) *httptest.Server {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost { // else it is a probe
				w.Header().Set("Content-Type", "application/json")
				play(w)
			}
		}))
		if s.TLS = secure; secure == nil {
			s.Start()
		} else {
			s.StartTLS()
		}
		t.Cleanup(s.Close)
		return s
	}
	silent := start(nil, func(w http.ResponseWriter) { wait(); fmt.Fprint(w, "{}") })
	streams := start(nil, func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, first)
		_ = http.NewResponseController(w).Flush()
		wait()
		fmt.Fprint(w, first+"data: [DONE]\n\n")
	})
	secure := start(&tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { wait(); return nil, nil }},
		func(w http.ResponseWriter) { fmt.Fprint(w, "{}") })
	trust := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(trust, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}

	f := newFeed(t)
	var models []fleet.Model
	for id, s := range map[string]*httptest.Server{"silent": silent, "streams": streams, "secure": secure} {
		m := served(id, s.URL)
		if m.Timeouts = (fleet.Timeouts{FirstByte: limit, Idle: limit}); s == secure {
			m.Timeouts = fleet.Timeouts{Connect: limit}
		}
		models = append(models, m)
	}
	f.publish(t, models...)
	g := startFed(t, f, "SSL_CERT_FILE="+trust, "GATEWAY_PROBE_INTERVAL=1h")
	d := newDoor(t, g, "HTTP/1.1", nil, func(p *http.Protocols) { p.SetHTTP1(true) })
	answers := make(chan error, 3*each)
	for _, m := range models {
		for range each {
			go func() {
				a, err := d.try(t, http.MethodPost, "/llm/"+m.ID+"/chat/completions", `{"messages":[],"stream":true}`)
				if err == nil && (a.status != http.StatusOK || m.ID == "streams" && !strings.HasSuffix(string(a.body), "[DONE]\n\n")) {
					err = fmt.Errorf("%s: %d %s", m.ID, a.status, a.body)
				}
				answers <- err
			}()
		}
	}
	for range 3 * each {
		<-busy
	}
	g.freeze(t)
	close(goOn)
	time.Sleep(limit + time.Second)
	if err := g.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for range 3 * each {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
}

// freeze stops the process until it gets SIGCONT.
func (g *gatewayProcess) freeze(t *testing.T) {
	t.Helper()
	if err := g.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", g.Process.Pid))
		if err != nil {
			t.Skipf("SKIPPED: no /proc here: %v", err)
		}
		if !strings.Contains(string(stat), ") T ") {
			return fmt.Errorf("it runs: %s", stat)
		}
		return nil
	})
}

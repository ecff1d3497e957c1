package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestServeAndHealthcheck runs the program as its container does: it serves, is found healthy, and stops when asked.
func TestServeAndHealthcheck(t *testing.T) {
	t.Run("plain", func(t *testing.T) {
		t.Setenv("TLS_CERT_FILE", "of-another-program.pem") // without the prefix it is none of the gateway's
		serveAndHealthcheck(t)
	})
	t.Run("TLS", func(t *testing.T) {
		cert, key := certificate(t)
		t.Setenv("GATEWAY_TLS_CERT_FILE", cert)
		t.Setenv("GATEWAY_TLS_KEY_FILE", key)
		serveAndHealthcheck(t)
	})
}

// certificate writes one, which is for another name, and its key.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pair := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, b *pem.Block) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("tls.crt", &pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), write("tls.key", &pem.Block{Type: "PRIVATE KEY", Bytes: key})
}

func serveAndHealthcheck(t *testing.T) {
	t.Setenv("GATEWAY_ADDR", "127.0.0.1:0")
	t.Setenv("GATEWAY_SUPERVISOR_URL", "http://127.0.0.1:1")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	logs, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, nil, io.Discard, out)
		out.Close()
	}()
	lines := bufio.NewScanner(logs)
	var line struct{ Msg, Addr string }
	for line.Msg != "serving" && lines.Scan() {
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, logs) }()

	t.Setenv("GATEWAY_ADDR", line.Addr)
	// A check has its time, in which a busy machine may not come to answer it.
	for deadline := time.Now().Add(time.Minute); ; {
		err := run(t.Context(), []string{"healthcheck"}, io.Discard, io.Discard)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("healthcheck of a running gateway: %v", err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("run ended with %v", err)
	}
	if err := run(t.Context(), []string{"healthcheck"}, io.Discard, io.Discard); err == nil {
		t.Error("healthcheck of a stopped gateway succeeds")
	}
}

// fullDisk takes what is written up to the address that is served, and fails from then on.
type fullDisk struct {
	taken string
	addr  chan string
	full  bool
}

var servedAt = regexp.MustCompile(`"addr":"([^"]+)"`)

func (d *fullDisk) Write(b []byte) (int, error) {
	if d.full {
		return 0, errors.New("no space left on device")
	}
	d.taken += string(b)
	if at := servedAt.FindStringSubmatch(d.taken); at != nil {
		d.full = true
		d.addr <- at[1]
	}
	return len(b), nil
}

// TestLostLines: a log that cannot be written holds nothing up, and the metrics say so.
func TestLostLines(t *testing.T) {
	t.Setenv("GATEWAY_ADDR", "127.0.0.1:0")
	t.Setenv("GATEWAY_SUPERVISOR_URL", "http://127.0.0.1:1")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	disk := &fullDisk{addr: make(chan string, 1)}
	go func() { ended <- run(ctx, nil, io.Discard, disk) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run ended with %v", err)
		}
	}()
	addr := <-disk.addr
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for lost := regexp.MustCompile(`\nfluidmcp_log_lines_dropped_total [1-9]`); ; { // each request is a line
		resp, err := client.Get("http://" + addr + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if lost.Match(text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestRunRefuses(t *testing.T) {
	f := func(want, name, value string, args ...string) {
		t.Helper()
		t.Setenv(name, value)
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s=%s %v: %v; want %q", name, value, args, err, want)
		}
		t.Setenv(name, map[string]string{"GATEWAY_LOG_LEVEL": "info", "GATEWAY_RETRIES": "2"}[name])
	}
	f(`unknown argument "serve"`, "GATEWAY_LOG_LEVEL", "info", "serve")
	f(`log level "loud"`, "GATEWAY_LOG_LEVEL", "loud")
	f("GATEWAY_RETRIES", "GATEWAY_RETRIES", "many")
	f("GATEWAY_RETRIES -1", "GATEWAY_RETRIES", "-1")
	f("GATEWAY_ADDRESS", "GATEWAY_ADDRESS", "typo")
}

// TestHelp: it is there whatever the environment says.
func TestHelp(t *testing.T) {
	t.Setenv("GATEWAY_NOTHING", "x")
	out := &bytes.Buffer{}
	if err := run(t.Context(), []string{"--help"}, out, io.Discard); err != nil || !strings.Contains(out.String(), "\n  GATEWAY_ADDR=") {
		t.Errorf("%v\n%s", err, out)
	}
}

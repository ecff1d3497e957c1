package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
)

// TestMain makes this binary the guard that the program starts of itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "guard" {
		if err := process.RunGuard(os.Args[2:]); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(m.Run())
}

// buffer may be written to and read by different goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// freeAddr returns an address that is free. Its port lies below those that the kernel gives to clients, of which one could take it before
// the program does.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(10_000))
		if ln, err := net.Listen("tcp", addr); err == nil {
			_ = ln.Close()
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}

func TestServeAndHealthcheck(t *testing.T) {
	models := filepath.Join(t.TempDir(), "models.json")
	if err := os.WriteFile(models, []byte(`{"llmModels": {"m": {"endpoints": {"base_url": "http://localhost:1"}}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SUPERVISOR_ADDR", freeAddr(t))
	t.Setenv("SUPERVISOR_MODELS", models)
	t.Setenv("SUPERVISOR_DRAIN_TIMEOUT", "1s")
	t.Setenv("SUPERVISOR_WATCH_MODELS", "false")
	ctx, cancel := context.WithCancel(t.Context())
	var log buffer
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, nil, io.Discard, &log) }()

	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.After(time.Minute); run(t.Context(), []string{"healthcheck"}, io.Discard, &log) != nil; {
		select {
		case <-poll.C:
		case err := <-ended:
			t.Fatalf("ended with %v: %s", err, log.String())
		case <-deadline:
			t.Fatal("never healthy")
		}
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // from now on it does not end this process
	for deadline := time.After(time.Minute); !strings.Contains(log.String(), `"models file applied"`); {
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("SIGHUP does not have the file read: %s", log.String())
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	if !strings.Contains(log.String(), `"model is starting"`) {
		t.Errorf("log: %s", log.String())
	}
}

func TestFaultsOfTheCommandLineAndTheEnvironment(t *testing.T) {
	f := func(name, value, arg, want string) {
		t.Helper()
		if name != "" {
			t.Setenv(name, value)
			defer os.Unsetenv(name)
		}
		err := run(t.Context(), strings.Fields(arg), io.Discard, &buffer{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s=%s %s: want %q, got %v", name, value, arg, want, err)
		}
	}
	f("", "", "begin", `unknown argument "begin"`)
	f("", "", "serve", "set SUPERVISOR_MODELS")
	f("SUPERVISOR_DRAIN_TIMEOUT", "soon", "serve", "read environment")
	f("SUPERVISOR_DRAIN_TIMOUT", "1s", "serve", "SUPERVISOR_DRAIN_TIMOUT")
	f("SUPERVISOR_LOG_LEVEL", "loud", "serve", "loud")
	f("SUPERVISOR_ADDR", "127.0.0.1:1", "healthcheck", "connection refused")
	models := filepath.Join(t.TempDir(), "models.json")
	if err := os.WriteFile(models, []byte(`{"llmModels": {"m": {"endpoints": {"base_url": "http://localhost:1"}}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	t.Setenv("SUPERVISOR_MODELS", models)
	f("SUPERVISOR_ADDR", fmt.Sprint(taken.Addr()), "serve", "address already in use")
}

// TestHelp: it is there whatever the environment says.
func TestHelp(t *testing.T) {
	t.Setenv("SUPERVISOR_NOTHING", "x")
	out := &bytes.Buffer{}
	if err := run(t.Context(), []string{"--help"}, out, io.Discard); err != nil || !strings.Contains(out.String(), "\n  SUPERVISOR_ADDR=") {
		t.Errorf("%v\n%s", err, out)
	}
}

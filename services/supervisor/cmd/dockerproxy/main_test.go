package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/engine/enginetest"
)

func TestServeAndHealthcheck(t *testing.T) {
	e := enginetest.New(t)
	folder, err := os.MkdirTemp("", "proxy") // a test's own folder may have too long a name for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	t.Setenv("DOCKERPROXY_ENGINE", e.Socket)
	t.Setenv("DOCKERPROXY_LISTEN", filepath.Join(folder, "s"))
	t.Setenv("DOCKERPROXY_PROJECT", "ours")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, nil, io.Discard, &bytes.Buffer{}) }()
	for deadline := time.Now().Add(time.Minute); run(t.Context(), []string{"healthcheck"}, io.Discard, nil) != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never healthy")
		}
	}
	e.Down()
	if err := run(t.Context(), []string{"healthcheck"}, io.Discard, nil); err == nil || !strings.Contains(err.Error(), e.Socket) {
		t.Errorf("healthy without an engine: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	e.Up()
}

func TestFaultsOfTheCommandLineAndTheEnvironment(t *testing.T) {
	f := func(name, value, arg, want string) {
		t.Helper()
		t.Setenv(name, value)
		defer os.Unsetenv(name)
		err := run(t.Context(), strings.Fields(arg), io.Discard, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s=%s %s: want %q, got %v", name, value, arg, want, err)
		}
	}
	f("DOCKERPROXY_PROJECT", "", "serve", "DOCKERPROXY_PROJECT is not set")
	f("DOCKERPROXY_PROJECT", "ours", "begin", `unknown argument "begin"`)
	f("DOCKERPROXY_PROJEKT", "ours", "serve", "DOCKERPROXY_PROJEKT")
	f("DOCKERPROXY_LOG_LEVEL", "loud", "serve", "loud")
	f("DOCKERPROXY_LISTEN", "/no/such/folder/s", "healthcheck", "/no/such/folder/s")
	t.Setenv("DOCKERPROXY_PROJECT", "ours")
	f("DOCKERPROXY_LISTEN", "/no/such/folder/s", "serve", "no such file or directory")
}

// TestHelp: it is there whatever the environment says.
func TestHelp(t *testing.T) {
	t.Setenv("DOCKERPROXY_NOTHING", "x")
	out := &bytes.Buffer{}
	if err := run(t.Context(), []string{"--help"}, out, io.Discard); err != nil || !strings.Contains(out.String(), "\n  DOCKERPROXY_LISTEN=") {
		t.Errorf("%v\n%s", err, out)
	}
}

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// buildDir holds what the tests build, for as long as they run.
var buildDir string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if buildDir, err = os.MkdirTemp("", "fluidmcp-integration-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(buildDir)
	for name, value := range map[string]string{
		// What a run keeps for the next one would be found by the next test of the same file.
		"XDG_STATE_HOME": filepath.Join(buildDir, "state"),
		// A program with the race detector sleeps a second before it exits, unless told not to; and they start and end by the hundred.
		"GORACE": "atexit_sleep_ms=0",
		// Stacks are torn down by their tests; the reaper's image could not be pulled everywhere. And published ports are on the
		// loopback, also where testcontainers takes this machine for a container.
		"TESTCONTAINERS_RYUK_DISABLED": "true",
		"TESTCONTAINERS_HOST_OVERRIDE": "127.0.0.1",
	} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

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
	// What a run keeps for the next one would be found by the next test of the same file.
	if err := os.Setenv("XDG_STATE_HOME", filepath.Join(buildDir, "state")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

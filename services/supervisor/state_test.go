package supervisor_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/services/supervisor"
)

// TestStateFolderIsNotShared has a second supervisor on the folder of one that runs.
func TestStateFolderIsNotShared(t *testing.T) {
	cfg := quick()
	cfg.StateDir = t.TempDir() + "/state"
	models := parse(t, external(partner(t)))
	s := run(t, cfg, models)
	_, err := supervisor.New(cfg, supervisor.Deps{Models: models})
	require.ErrorContains(t, err, fmt.Sprintf("SUPERVISOR_STATE_DIR: the state folder %s is in use by the process with pid %d", cfg.StateDir, os.Getpid()))

	s.end()
	run(t, cfg, models)
}

// TestStateFolderIsGivenBack has a supervisor that cannot begin.
func TestStateFolderIsGivenBack(t *testing.T) {
	cfg := quick()
	cfg.StateDir = t.TempDir()
	_, err := supervisor.New(cfg, supervisor.Deps{Models: parse(t, `"a": {"deployment": {"name": "x"}, "endpoints": {"base_url": "http://h"}}`)})
	require.ErrorContains(t, err, "not available")
	run(t, cfg, parse(t, external(partner(t))))
}

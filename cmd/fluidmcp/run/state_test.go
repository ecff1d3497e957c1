package run

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

func TestStateFolder(t *testing.T) {
	models, home := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_STATE_HOME", "")
	t.Chdir(models)
	require.NoError(t, os.WriteFile("a.json", nil, 0o600))
	require.NoError(t, os.Symlink("a.json", "link.yaml"))
	folder := func(path string) string { return stateFolder(zap.NewNop(), path) }

	first := folder("a.json")
	require.DirExists(t, first)
	require.Equal(t, filepath.Join(home, ".local", "state", "fluidmcp"), filepath.Dir(first))
	require.Regexp(t, `^a-[0-9a-f]{8}$`, filepath.Base(first))
	for _, same := range []string{filepath.Join(models, "a.json"), "./a.json", "link.yaml"} {
		require.Equal(t, first, folder(same))
	}
	require.NotEqual(t, first, folder(filepath.Join(home, "a.json")), "another file of that name")

	t.Setenv("XDG_STATE_HOME", "relative")
	require.Equal(t, first, folder("a.json"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
	require.Equal(t, filepath.Join(home, "state", "fluidmcp", filepath.Base(first)), folder("a.json"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(models, "a.json")) // no folder can be in a file
	require.Empty(t, folder("a.json"))
}

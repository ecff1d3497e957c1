package rotate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/services/supervisor/logs/rotate"
)

func tail(t *testing.T, f *rotate.File, bytes int64) string {
	t.Helper()
	text, err := f.Tail(bytes)
	require.NoError(t, err)
	return string(text)
}

func TestOldLinesGo(t *testing.T) {
	f := &rotate.File{Path: filepath.Join(t.TempDir(), "deep", "log"), Max: 10, Keep: 2}
	require.Empty(t, tail(t, f, 100))
	for _, line := range []string{"one", "two", "three", "four", "five", "a line that is longer than a file"} {
		require.NoError(t, f.Write([]byte(line+"\n")))
	}
	require.NoError(t, f.Close())
	require.Equal(t, "four\nfive\na line that is longer than a file\n", tail(t, f, 100))
	names, err := filepath.Glob(f.Path + "*")
	require.NoError(t, err)
	require.Len(t, names, 2)
}

// TestTornLineIsEnded, which a predecessor has left that was killed.
func TestTornLineIsEnded(t *testing.T) {
	f := &rotate.File{Path: filepath.Join(t.TempDir(), "log"), Max: 100, Keep: 1}
	require.NoError(t, os.WriteFile(f.Path, []byte("whole\nto"), 0o600))
	require.Equal(t, "whole\n", tail(t, f, 100))
	require.NoError(t, f.Write([]byte("next\n")))
	require.NoError(t, f.Close())
	require.Equal(t, "whole\nto\nnext\n", tail(t, f, 100))
	require.Equal(t, "next\n", tail(t, f, 6)) // it does not begin in the middle of a line
}

// TestFailureIsToldOnce: what cannot be written costs these lines, and is left alone for a while.
func TestFailureIsToldOnce(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "no-folder"), nil, 0o600))
	f := &rotate.File{Path: filepath.Join(dir, "no-folder", "log"), Max: 10, Keep: 2}
	require.ErrorContains(t, f.Write([]byte("x\n")), "make folder of logs")
	require.True(t, f.Failing())
	require.NoError(t, f.Write([]byte(strings.Repeat("x\n", 9))))
	require.True(t, f.Failing())
	require.NoError(t, f.Close())
}

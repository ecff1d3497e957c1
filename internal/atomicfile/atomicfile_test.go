package atomicfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/atomicfile"
)

func TestWrite(t *testing.T) {
	folder := t.TempDir()
	path, link := filepath.Join(folder, "file"), filepath.Join(folder, "link")
	f := func(name, text string, mode os.FileMode) {
		t.Helper()
		require.NoError(t, atomicfile.Write(name, []byte(text)))
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, text, string(got))
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm())
	}
	f(path, "new", 0o600)
	require.NoError(t, os.Chmod(path, 0o640))
	f(path, "replaced", 0o640)
	require.NoError(t, os.Symlink("file", link))
	f(link, "by its link", 0o640)
	info, err := os.Lstat(link)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink)
}

// A failure leaves what was there, and nothing beside it.
func TestWriteFails(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	require.NoError(t, os.MkdirAll(filepath.Join(path, "full"), 0o700)) // no file can take its place
	require.Error(t, atomicfile.Write(path, []byte("x")))
	require.Error(t, atomicfile.Write(filepath.Join(folder, "nowhere", "file"), []byte("x")))
	names, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, names, 1)
}

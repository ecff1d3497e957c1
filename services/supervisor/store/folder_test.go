package store

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFolderBelongsToOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	first, err := openFolder(path)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(path, "events.jsonl"), first.Path("events.jsonl"))

	_, err = openFolder(path)
	require.EqualError(t, err, fmt.Sprintf("the state folder %s is in use by the process with pid %d: end that one, or name another folder", path, os.Getpid()))

	require.NoError(t, first.Close())
	second, err := openFolder(path) // the file of the lock is still there
	require.NoError(t, err)
	require.NoError(t, second.Close())
}

func TestFolderOnlyForItsOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	folder, err := openFolder(path)
	require.NoError(t, err)
	defer folder.Close()
	for name, want := range map[string]os.FileMode{path: 0o700, folder.Path("lock"): 0o600} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, want, info.Mode().Perm(), name)
	}
}

func TestFolderThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := openFolder(filepath.Join(file, "state"))
	require.ErrorContains(t, err, "make the state folder: ")

	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, "lock"), 0o700))
	_, err = openFolder(folder)
	require.ErrorContains(t, err, "lock the state folder: ")
}

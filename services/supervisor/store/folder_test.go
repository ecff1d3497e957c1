package store

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
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

// TestFolderRemoved: what is kept in it is kept again, and it stays one supervisor's.
func TestFolderRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state")
		core, logs := observer.New(zapcore.WarnLevel)
		s, err := Open(path, zap.New(core))
		require.NoError(t, err)
		end := running(t, s)
		s.Models.Wanted("m", "stopped")
		s.Models.Saved(t.Context())

		require.NoError(t, os.RemoveAll(path))
		time.Sleep(retry)
		synctest.Wait()
		require.Equal(t, 1, logs.FilterMessageSnippet("is made anew").Len())
		_, err = openFolder(path)
		require.ErrorContains(t, err, "is in use by the process")
		s.Models.Saved(t.Context())
		s.Events.Add(Event{Message: "after"})
		s.Events.Told(t.Context())
		end()

		s, end = open(t, path)
		require.Equal(t, "stopped", s.Models.Get("m").Desired)
		require.Len(t, await(t, s.Events, 0, 1), 1)
		end()
	})
}

// TestFolderTaken: when another supervisor has been quicker, nothing is written into its folder until it has ended.
func TestFolderTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state")
		core, logs := observer.New(zapcore.ErrorLevel)
		s, err := Open(path, zap.New(core))
		require.NoError(t, err)
		end := running(t, s)

		require.NoError(t, os.RemoveAll(path))
		other, err := openFolder(path)
		require.NoError(t, err)
		s.Models.Wanted("m", "stopped")
		s.Events.Add(Event{Message: "meanwhile"})
		s.Models.Saved(t.Context())
		s.Events.Told(t.Context())
		time.Sleep(3 * retry)
		synctest.Wait()
		names, err := os.ReadDir(path)
		require.NoError(t, err)
		require.Len(t, names, 1, "beside the lock")
		told := logs.FilterMessageSnippet("nothing is kept on disk").All()
		require.Len(t, told, 1)
		require.Contains(t, told[0].ContextMap()["error"], "is in use by the process")

		require.NoError(t, other.Close())
		time.Sleep(3 * retry)
		synctest.Wait()
		end()
		s, end = open(t, path)
		require.Equal(t, "stopped", s.Models.Get("m").Desired)
		require.Len(t, await(t, s.Events, 0, 1), 1)
		end()
	})
}

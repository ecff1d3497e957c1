package store

import (
	"context"
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

func TestModelsSurvive(t *testing.T) {
	path := t.TempDir()
	s, end := open(t, path)
	s.Models.Wanted("org/m", "stopped")
	s.Models.Started("org/m", "org/m-0", 3, 2)
	s.Models.Started("org/m", "org/m-1", 1, 0)
	s.Models.Started("other", "other-0", 1, 0)
	s.Models.Forget("other")
	s.Models.Saved(t.Context())
	want := Model{Desired: "stopped", Starts: map[string]int{"org/m-0": 3, "org/m-1": 1}, Restarts: map[string]int{"org/m-0": 2}}
	require.Equal(t, want, s.Models.Get("org/m"))

	text, err := os.ReadFile(filepath.Join(path, modelsName)) // before the end: a kill would not lose it
	require.NoError(t, err)
	require.JSONEq(t, `{"models":{"org/m":{"desired":"stopped","starts":{"org/m-0":3,"org/m-1":1},"restarts":{"org/m-0":2}}}}`, string(text))
	s.Models.Wanted("org/m", "running")
	end()

	s, _ = open(t, path)
	want.Desired = "running"
	require.Equal(t, want, s.Models.Get("org/m"))
	require.Zero(t, s.Models.Get("other"))
}

// TestModelsThatAreGone were taken out while no supervisor was there.
func TestModelsThatAreGone(t *testing.T) {
	path := t.TempDir()
	s, end := open(t, path)
	s.Models.Wanted("kept", "stopped")
	s.Models.Wanted("gone", "stopped")
	end()

	s, end = open(t, path)
	s.Models.Keep([]string{"kept", "new"})
	end()

	s, _ = open(t, path)
	require.Equal(t, "stopped", s.Models.Get("kept").Desired)
	require.Zero(t, s.Models.Get("gone"))
}

func TestFailuresSurvive(t *testing.T) {
	path := t.TempDir()
	s, end := open(t, path)
	failed := Failures{Times: []time.Time{time.Now().Add(-time.Minute), time.Now()}, Reason: "CrashLoop", Message: "it crashes", Of: "a1"}
	s.Models.Failed("m", "m-0", failed)
	s.Models.Failed("m", "m-1", failed)
	s.Models.Failed("m", "m-1", Failures{}) // forgiven
	end()

	s, _ = open(t, path)
	got := s.Models.Get("m").Failures
	require.Len(t, got, 1)
	require.True(t, failed.same(got["m-0"]), "%+v", got)
	require.NoError(t, os.Remove(filepath.Join(path, modelsName)))
	s.Models.Failed("m", "m-0", failed) // as it is
	s.Models.Saved(t.Context())
	require.NoFileExists(t, filepath.Join(path, modelsName))
}

func TestModelsThatDoNotChangeAreNotWritten(t *testing.T) {
	path := t.TempDir()
	s, end := open(t, path)
	s.Models.Wanted("m", "running")
	s.Models.Saved(t.Context())
	require.NoError(t, os.Remove(filepath.Join(path, modelsName)))
	s.Models.Wanted("m", "running")
	s.Models.Forget("nobody")
	s.Models.Saved(t.Context())
	end()
	require.NoFileExists(t, filepath.Join(path, modelsName))
}

func TestDamagedModelsArePutAside(t *testing.T) {
	path := t.TempDir()
	file := filepath.Join(path, modelsName)
	require.NoError(t, os.WriteFile(file, []byte(`{"models":{"m":{"desi`), 0o600))
	left := filepath.Join(path, "."+modelsName+"-123")
	require.NoError(t, os.WriteFile(left, nil, 0o600))
	s, _ := open(t, path)
	require.Zero(t, s.Models.Get("m"))
	require.FileExists(t, file+".damaged")
	require.NoFileExists(t, left, "what a killed writer left")
}

// TestModelsThatCannotBeWritten takes the folder away and brings it back. Nobody is kept waiting for it.
func TestModelsThatCannotBeWritten(t *testing.T) {
	core, logged := observer.New(zapcore.InfoLevel)
	base := t.TempDir()
	path, away := filepath.Join(base, "state"), filepath.Join(base, "away")
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(path, zap.New(core))
		require.NoError(t, err)
		running(t, s)
		require.NoError(t, os.Rename(path, away))
		for _, desired := range []string{"stopped", "running", "stopped"} {
			s.Models.Wanted("m", desired)
			s.Models.Saved(t.Context())
		}
		require.EqualValues(t, 3, s.Models.Failures())
		require.Equal(t, "stopped", s.Models.Get("m").Desired)
		require.NoError(t, os.Rename(away, path))
		time.Sleep(retry + time.Second)
		synctest.Wait()
		require.FileExists(t, filepath.Join(path, modelsName))
	})
	require.Len(t, logged.All(), 2, "the failure and its end")
}

func TestSavedDoesNotWaitForEver(t *testing.T) {
	s, err := Open("", zap.NewNop())
	require.NoError(t, err)
	s.Models.Wanted("m", "stopped")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Models.Saved(ctx)                   // nobody writes
	synctest.Test(t, func(t *testing.T) { // as when the disk hangs
		begin := time.Now()
		s, err := Open("", zap.NewNop())
		require.NoError(t, err)
		s.Models.Wanted("m", "stopped")
		s.Models.Saved(t.Context())
		require.Equal(t, patience, time.Since(begin))
	})
}

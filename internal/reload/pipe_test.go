//go:build unix

package reload_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/reload"
)

// Opening a pipe would wait for who writes to it.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	must(t, syscall.Mkfifo(path, 0o600))
	synctest.Test(t, func(t *testing.T) {
		loads := 0
		w, err := reload.New(func() error { loads++; return nil }, path)
		must(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		w.Run(ctx, time.Second, func(error) {})
		if loads != 1 {
			t.Errorf("loaded %d times", loads)
		}
	})
}

// A pipe that takes the place of a file is reported once and not read, and a file in its place is loaded.
func TestPipeInPlaceOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(path, []byte("1"), 0o600))
	synctest.Test(t, func(t *testing.T) {
		var loaded []string
		w, err := reload.New(func() error {
			data, err := os.ReadFile(path)
			loaded = append(loaded, string(data))
			return err
		}, path)
		must(t, err)
		var reports []error
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			w.Run(ctx, time.Second, func(err error) { reports = append(reports, err) })
			close(done)
		}()
		time.Sleep(5 * time.Second)
		must(t, os.Remove(path))
		must(t, syscall.Mkfifo(path, 0o600))
		time.Sleep(5 * time.Second)
		must(t, os.Remove(path))
		must(t, os.WriteFile(path, []byte("2"), 0o600))
		time.Sleep(5 * time.Second)
		cancel()
		<-done
		if len(reports) != 2 || reports[0] == nil || reports[1] != nil || !slices.Equal(loaded, []string{"1", "2"}) {
			t.Errorf("loaded %q, reports %v", loaded, reports)
		}
	})
}

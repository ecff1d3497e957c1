//go:build unix

package reload_test

import (
	"context"
	"path/filepath"
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

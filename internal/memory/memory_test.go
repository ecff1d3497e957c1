package memory_test

import (
	"runtime/debug"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/memory"
)

func TestCollectLate(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	f := func(given string, want int) {
		t.Helper()
		memory.CollectLate(func(name string) string { return map[string]string{"GOGC": given}[name] })
		if got := debug.SetGCPercent(100); got != want {
			t.Errorf("GOGC=%s: %d percent, want %d", given, got, want)
		}
	}
	f("", 400)
	f("50", 100) // which the runtime itself has obeyed
}

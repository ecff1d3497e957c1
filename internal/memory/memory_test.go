package memory_test

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/memory"
)

// percent is the percentage in force.
func percent() int {
	now := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(now)
	return int(now[0].Value.Uint64())
}

func collectLate(t *testing.T, given string) {
	before := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	memory.CollectLate(func(name string) string { return map[string]string{"GOGC": given}[name] })
}

func TestCollectLate(t *testing.T) {
	collectLate(t, "50") // which the runtime itself has obeyed
	if got := percent(); got != 100 {
		t.Errorf("with GOGC set: %d percent", got)
	}
	collectLate(t, "")
	if got := percent(); got != 400 {
		t.Errorf("%d percent", got)
	}
	// What has grown is collected as usual, and late again once it has shrunk.
	large := make([]byte, 200<<20)
	await(t, 100)
	runtime.KeepAlive(large)
	await(t, 400)

	large = make([]byte, 200<<20)
	await(t, 100)
	runtime.KeepAlive(large)
	collectLate(t, "50")
	for range 5 {
		runtime.GC()
	}
	if got := percent(); got != 100 {
		t.Errorf("with GOGC set after all: %d percent", got)
	}
}

func await(t *testing.T, want int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); percent() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d percent, want %d", percent(), want)
		}
		runtime.GC()
	}
}

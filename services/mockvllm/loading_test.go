package mockvllm_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
)

// TestLoadTellsHowFarItIs stops a server in the middle of its load, on virtual time.
func TestLoadTellsHowFarItIs(t *testing.T) {
	f := func(load, stop time.Duration, want ...string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			ctx, cancel := context.WithTimeout(t.Context(), stop)
			defer cancel()
			args := []string{"serve", "m", "--mock-load-time", load.String()}
			if code := mockvllm.Main(ctx, args, func(string) string { return "" }, &log, &log); code != 0 {
				t.Errorf("exit code %d", code)
			}
			_, bars, _ := strings.Cut(log.String(), "Starting to load model m...\n")
			if want := strings.Join(want, ""); bars != want {
				t.Errorf("loading for %s, stopped after %s: %q, want %q", load, stop, bars, want)
			}
		})
	}
	const shard = "\rLoading safetensors checkpoint shards: "
	f(100*time.Second, 25*time.Second,
		shard+"  0% Completed | 0/10 [00:00<?, ?it/s]\n\n",
		shard+" 10% Completed | 1/10 [00:10<01:30, 10.00s/it]\n\n",
		shard+" 20% Completed | 2/10 [00:20<01:20, 10.00s/it]\n\n")
	f(15*time.Hour, 2*time.Hour,
		shard+"  0% Completed | 0/10 [00:00<?, ?it/s]\n\n",
		shard+" 10% Completed | 1/10 [1:30:00<13:30:00, 5400.00s/it]\n\n")
	f(time.Second, 150*time.Millisecond,
		shard+"  0% Completed | 0/10 [00:00<?, ?it/s]\n\n",
		shard+" 10% Completed | 1/10 [00:00<00:00, 10.00it/s]\n\n")
}

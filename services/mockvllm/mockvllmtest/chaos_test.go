package mockvllmtest_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/mockvllmtest"
)

// chaosFaults are what requests bring; %d is a number of tokens.
var chaosFaults = []string{"", "", "", "delay=30s", "delay=3s,cut=%d", "reset=%d", "stall=%d", "stall=%d,stall_for=2m", "trickle=500", "split=3", "join=4,cut=%d",
	"malformed=%d", "wrong_length=5", "status=503,retry_after=1s", "stall=%d,reset=%d", "nonsense"}

// client sends one request after the other, reads its answers at its own pace, and leaves some of them.
func chaosClient(ctx context.Context, mock *mockvllmtest.Server, rng *rand.Rand) {
	for ctx.Err() == nil {
		fault := strings.ReplaceAll(chaosFaults[rng.IntN(len(chaosFaults))], "%d", fmt.Sprint(rng.IntN(12)))
		body := fmt.Sprintf(`{"messages": [{"role": "user", "content": "%s"}], "stream": %t, "n": %d, "max_tokens": %d, "ignore_eos": %t}`,
			strings.Repeat("long ", rng.IntN(40)), rng.IntN(3) > 0, 1+rng.IntN(2), 1+rng.IntN(60), rng.IntN(2) == 0)
		patience, cancel := context.WithTimeout(ctx, time.Duration(1+rng.IntN(60))*time.Millisecond)
		chaosRequest(patience, mock, body, fault, rng.IntN(3) == 0)
		cancel()
	}
}

func chaosRequest(ctx context.Context, mock *mockvllmtest.Server, body, fault string, slow bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, mock.URL+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Mock-Fault", fault)
	resp, err := mock.Client().Do(req)
	if err != nil {
		return // refused, reset, or out of patience
	}
	defer resp.Body.Close()
	if slow {
		_, _ = io.CopyN(io.Discard, resp.Body, 100)
		<-ctx.Done()
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
}

// At least an hour of faults, of clients that leave and of clients that do not read leaves nothing behind.
func TestChaos(t *testing.T) {
	mock := mockvllmtest.Start(t, mockvllmtest.VirtualClock(), mockvllmtest.Latency(2*time.Second, 500*time.Millisecond),
		mockvllmtest.Config(func(c *mockvllm.Config) {
			c.MaxNumSeqs, c.MaxModelLen, c.Scheduler.BlockSize, c.Scheduler.Blocks = 6, 512, new(16), new(80)
		}))
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i := range 12 {
		clients.Go(func() { chaosClient(ctx, mock, rand.New(rand.NewPCG(7, uint64(i)))) })
	}
	rules := []string{`{}`, `{"rules": [{"match": {"percent": 30}, "do": {"delay": "20s"}}, {"do": {"rate_limit": "50/60s"}}]}`,
		`{"rules": [{"match": {"window": {"at": "10s", "for": "20s"}}, "do": {"refuse": true}}, {"match": {"nth": [2, 3]}, "do": {"reset": 1}}]}`}
	enough := func() bool {
		stats := mock.Stats()
		return stats.Requests >= 300 && stats.Aborted.Client > 0 && stats.Aborted.Fault > 0
	}
	for i := 0; i < 360 || !enough(); i++ { // how much a client does in an hour of the mock is the machine's business
		if i%30 == 0 {
			mock.SetFaults(rules[i/30%len(rules)])
		}
		mock.Advance(10 * time.Second)
		before := mock.Stats().Requests
		for deadline := time.Now().Add(20 * time.Millisecond); mock.Stats().Requests < before+2 && time.Now().Before(deadline); {
			time.Sleep(100 * time.Microsecond) // the clients' time is the machine's
		}
	}
	stop()
	clients.Wait()
	mock.SetFaults(`{}`)
	mock.WaitInFlight(0)
	stats := mock.Stats()
	t.Logf("%d requests, aborted: %+v", stats.Requests, stats.Aborted)
	resp, err := mock.Client().Get(mock.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, gauge := range []string{"num_requests_running", "num_requests_waiting", "kv_cache_usage_perc"} {
		if want := "vllm:" + gauge + `{engine="0",model_name="mock-model"} 0.0`; !strings.Contains(string(text), want+"\n") {
			t.Errorf("there is no %s", want)
		}
	}
}

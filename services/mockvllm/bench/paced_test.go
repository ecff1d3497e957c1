//go:build linux

package bench

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"
)

// itl is the time between the tokens of a paced stream.
const itl = 20 * time.Millisecond

// lateness asks for a stream and returns how late each token came against the schedule that the first one sets.
func lateness(addr string, tokens int) ([]time.Duration, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	req := request(fmt.Sprintf(`{"model":"bench",%s,"max_tokens":%d,"ignore_eos":true,"stream":true}`, question, tokens))
	var first time.Time
	late := make([]time.Duration, 0, tokens)
	n := -1 // the role comes with the first token
	_, err = ask(c, bufio.NewReaderSize(c, 4<<10), req, func() {
		now := time.Now()
		switch n++; {
		case n < 1:
			first = now
		case n <= tokens: // the frame that says [DONE] follows
			late = append(late, now.Sub(first)-time.Duration(n-1)*itl)
		}
	})
	if err == nil && len(late) != tokens {
		err = fmt.Errorf("%d tokens came of %d", len(late), tokens)
	}
	return late, err
}

// paced asks for streams that begin a millisecond after each other and returns how late their tokens came, stream by stream.
// Meanwhile it calls between.
func paced(b *testing.B, m *process, streams, tokens int, between func()) [][]time.Duration {
	b.Helper()
	load(b, m, request(`{"model":"bench",`+question+`,"max_tokens":1}`), 4) // warm
	b.ResetTimer()
	late := make([][]time.Duration, streams)
	var all sync.WaitGroup
	for i := range late {
		all.Go(func() {
			time.Sleep(time.Duration(i) * time.Millisecond) // they do not start together
			var err error
			if late[i], err = lateness(m.addr, tokens); err != nil {
				b.Error(err)
			}
		})
	}
	between()
	all.Wait()
	if b.Failed() {
		b.FailNow()
	}
	return late
}

// part is the value below which that share of the values lies.
func part(values []time.Duration, share float64) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }

// BenchmarkPaced runs 1,000 streams at a time, a token each 20 ms for 10 s, and tells how late tokens come against the
// schedule that the first one sets, how far the last one has drifted, and how much memory a stream takes.
func BenchmarkPaced(b *testing.B) {
	const streams, tokens = 1000, 500
	m := mock(b, "--mock-itl", itl.String(), "--mock-ttft", "1s")
	idle, before, memory := 0, time.Duration(0), 0
	late := paced(b, m, streams, tokens, func() {
		idle, before = m.rss(b), m.cpu(b)
		time.Sleep(6 * time.Second)
		memory = m.rss(b) - idle
	})
	var all, last []time.Duration
	for _, stream := range late {
		all, last = append(all, stream...), append(last, stream[tokens-1])
	}
	b.ReportMetric(ms(part(all, 0.5)), "ms-late-p50")
	b.ReportMetric(ms(part(all, 0.99)), "ms-late-p99")
	b.ReportMetric(ms(part(last, 0.5)), "ms-drift-p50")
	b.ReportMetric(float64(memory)/streams/1024, "KB/stream")
	b.ReportMetric(float64((m.cpu(b)-before).Microseconds())/float64(len(all)), "µs-cpu/token")
}

// driftEnv is how long BenchmarkDrift looks, such as 10m. Names that begin with MOCKVLLM_ are the settings of the mock.
const driftEnv = "BENCH_DRIFT"

// BenchmarkDrift runs ten streams and tells how much later than at the beginning their tokens come at the end. A single token
// tells little, since what else the machine does delays it; so the medians of the first and the last second are compared.
func BenchmarkDrift(b *testing.B) {
	const streams, second = 10, int(time.Second / itl)
	length := 5 * time.Second
	if text := os.Getenv(driftEnv); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil || length < 2*time.Second || length > time.Hour {
			b.Fatalf("%s=%s: expected a time from 2s to 1h", driftEnv, text)
		}
	}
	tokens := int(length / itl)
	m := mock(b, "--mock-itl", itl.String(), "--max-model-len", "200000")
	var all, drift []time.Duration
	for _, stream := range paced(b, m, streams, tokens, func() {}) {
		all = append(all, stream...)
		drift = append(drift, part(stream[tokens-second:], 0.5)-part(stream[:second], 0.5))
	}
	b.ReportMetric(length.Seconds(), "s-length")
	b.ReportMetric(ms(slices.Min(drift)), "ms-drift-min")
	b.ReportMetric(ms(part(drift, 0.5)), "ms-drift-p50")
	b.ReportMetric(ms(slices.Max(drift)), "ms-drift-max")
	b.ReportMetric(ms(part(all, 0.99)), "ms-late-p99")
}

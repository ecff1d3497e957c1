//go:build linux

package bench

import (
	"bufio"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// BenchmarkPaced runs 1,000 streams at a time, a token each 20 ms for 10 s, and tells how late tokens come against the
// schedule that the first one sets, how far the last one has drifted, and how much memory a stream takes.
func BenchmarkPaced(b *testing.B) {
	const streams, tokens, itl = 1000, 500, 20 * time.Millisecond
	req := request(`{"model":"bench",` + question + `,"max_tokens":500,"stream":true}`)
	m := mock(b, "--mock-itl", itl.String(), "--mock-ttft", "1s")
	load(b, m, request(`{"model":"bench",`+question+`,"max_tokens":1}`), 4)
	idle := m.rss(b)
	b.ResetTimer()
	var late, drift []time.Duration
	var mu sync.Mutex
	var all sync.WaitGroup
	before := m.cpu(b)
	for i := range streams {
		all.Go(func() {
			time.Sleep(time.Duration(i) * time.Millisecond) // they do not start together
			c, err := net.Dial("tcp", m.addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			var first time.Time
			mine := make([]time.Duration, 0, tokens)
			n := -1 // the role comes with the first token
			_, err = ask(c, bufio.NewReaderSize(c, 4<<10), req, func() {
				now := time.Now()
				switch n++; {
				case n < 1:
					first = now
				case n < tokens:
					mine = append(mine, now.Sub(first)-time.Duration(n-1)*itl)
				}
			})
			if err != nil {
				b.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			late = append(late, mine...)
			drift = append(drift, mine[len(mine)-1])
		})
	}
	time.Sleep(6 * time.Second)
	memory := m.rss(b) - idle
	all.Wait()
	slices.Sort(late)
	slices.Sort(drift)
	b.ReportMetric(float64(late[len(late)/2])/1e6, "ms-late-p50")
	b.ReportMetric(float64(late[len(late)*99/100])/1e6, "ms-late-p99")
	b.ReportMetric(float64(drift[len(drift)/2])/1e6, "ms-drift-p50")
	b.ReportMetric(float64(memory)/streams/1024, "KB/stream")
	b.ReportMetric(float64((m.cpu(b)-before).Microseconds())/float64(len(late)), "µs-cpu/token")
}

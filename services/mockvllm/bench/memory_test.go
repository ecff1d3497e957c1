//go:build linux

package bench

import (
	"bytes"
	"net"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/config"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/mockvllmtest"
)

// BenchmarkMemory tells what a paced stream takes, heap and stack, after a collection. The mock runs in this process, so that the
// runtime can tell; its clients are bare sockets, of which the runtime knows nothing.
func BenchmarkMemory(b *testing.B) {
	const streams = 1000
	mock := mockvllmtest.Start(b, mockvllmtest.Answers("random"), mockvllmtest.Latency(0, 500*time.Millisecond),
		mockvllmtest.Config(func(c *config.Config) { c.MaxNumSeqs, c.AccessLog = 2*streams, false }))
	req := request(`{"model":"mock-model",` + question + `,"max_tokens":1000,"ignore_eos":true,"stream":true}`)
	to := mock.URL[len("http://"):]
	fds := make([]int, streams+1)
	b.Cleanup(func() { // once for all: what the test remembers would count as the mock's
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
	})
	for i := range fds {
		fds[i] = open(b)
	}
	warm, measured := fds[0], fds[1:]
	follow(b, warm, to, req)
	tokens(b, warm, 3)
	heap, stacks := lives()
	for _, fd := range measured {
		follow(b, fd, to, req)
	}
	for _, fd := range measured {
		tokens(b, fd, 3)
	}
	b.ResetTimer()
	heapFull, stacksFull := lives()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric((heapFull-heap)/streams/1024, "KB-heap/stream")
	b.ReportMetric((stacksFull-stacks)/streams/1024, "KB-stack/stream")
}

func open(b *testing.B) (fd int) {
	b.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	return fd
}

// follow asks for a stream.
func follow(b *testing.B, fd int, addr string, req []byte) {
	b.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		b.Fatal(err)
	}
	n, _ := strconv.Atoi(port)
	if err = unix.Connect(fd, &unix.SockaddrInet4{Port: n, Addr: [4]byte{127, 0, 0, 1}}); err == nil {
		_, err = unix.Write(fd, req)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// tokens waits for so many frames.
func tokens(b *testing.B, fd, n int) {
	b.Helper()
	for room := make([]byte, 4<<10); n > 0; {
		got, err := unix.Read(fd, room)
		if err != nil || got == 0 {
			b.Fatalf("a stream ends: %v", err)
		}
		n -= bytes.Count(room[:got], []byte("data: "))
	}
}

// lives is what there is on the heap and for stacks, in bytes. What is made meanwhile is left out: of some looks the least counts.
func lives() (heap, stacks float64) {
	for range 5 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if heap == 0 || float64(m.HeapAlloc) < heap {
			heap, stacks = float64(m.HeapAlloc), float64(m.StackInuse)
		}
	}
	return heap, stacks
}

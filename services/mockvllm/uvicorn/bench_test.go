package uvicorn_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn"
)

// question is a request as clients send it, with 300 bytes of body.
var question = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost:8000\r\nUser-Agent: bench\r\nAccept: */*\r\nAuthorization: Bearer x\r\n" +
	"Content-Type: application/json\r\nContent-Length: 300\r\n\r\n" + strings.Repeat("x", 300)

// serving is what the servers have in common.
type serving interface {
	Serve(net.Listener) error
	Close() error
}

// listen runs a server and returns its address, and what ends it.
func listen(b *testing.B, s serving) (string, func()) {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(ln) }()
	return ln.Addr().String(), func() { _ = s.Close(); _ = ln.Close(); <-done }
}

func dialBench(b *testing.B, addr string) net.Conn {
	b.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// BenchmarkPlainAnswer takes the question and answers 500 bytes on a connection that stays.
func BenchmarkPlainAnswer(b *testing.B) {
	answer := make([]byte, 500)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", "500")
		h.Set("Vary", "Origin")
		select {
		case <-r.Context().Done():
		default:
		}
		_, _ = w.Write(answer)
	})
	request := []byte(question)
	compare(b, h, &floor{len(question), 650}, func(addr string, n int) {
		c := dialBench(b, addr)
		defer c.Close()
		buf := make([]byte, 4096)
		for range n {
			if _, err := c.Write(request); err != nil {
				b.Fatal(err)
			}
			if _, err := c.Read(buf); err != nil { // the answer is one piece
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkFlushedChunk streams chunks of 180 bytes, each flushed.
func BenchmarkFlushedChunk(b *testing.B) {
	frame := make([]byte, 180)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.RawQuery)
		done := r.Context().Done()
		rc := http.NewResponseController(w)
		for range n {
			select {
			case <-done:
				return
			default:
				_, _ = w.Write(frame)
				_ = rc.Flush()
			}
		}
	})
	compare(b, h, nil, func(addr string, n int) {
		c := dialBench(b, addr)
		defer c.Close()
		if _, err := io.WriteString(c, "GET /?"+strconv.Itoa(n)+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, bufio.NewReaderSize(c, 64<<10)); err != nil {
			b.Fatal(err)
		}
	})
}

// floor is a server that reads and writes as many bytes as an exchange has, and does nothing else.
type floor struct{ request, answer int }

func (f *floor) Close() error { return nil }

func (f *floor) Serve(ln net.Listener) error {
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		in, out := make([]byte, f.request), make([]byte, f.answer)
		for err == nil {
			if _, err = io.ReadFull(c, in); err == nil {
				_, err = c.Write(out)
			}
		}
		_ = c.Close()
	}
}

// compare reports the CPU time of an operation, client included, with this server, with net/http, and with the floor.
func compare(b *testing.B, h http.Handler, least serving, rounds func(addr string, n int)) {
	measure := func(s serving) float64 {
		addr, end := listen(b, s)
		defer end()
		rounds(addr, 100) // warm
		runtime.GC()
		before := cpu(b)
		rounds(addr, b.N)
		return (cpu(b) - before) / float64(b.N) / 1000
	}
	ours, theirs := measure(&uvicorn.Server{Handler: h}), measure(&http.Server{Handler: h})
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ours, "µs-cpu/op")
	b.ReportMetric(theirs, "µs-cpu-net/http/op")
	b.ReportMetric(ours/theirs, "of-net/http")
	if least != nil {
		b.ReportMetric(measure(least), "µs-cpu-floor/op")
	}
}

// cpu is the processor time that the process has used, in ns.
func cpu(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkMemoryOfAStream holds 1,000 streams that have sent a chunk and wait, and their clients' sockets.
func BenchmarkMemoryOfAStream(b *testing.B) {
	measure := func(server func(http.Handler) serving) float64 {
		const streams = 1000
		sent := make(chan struct{}, streams)
		addr, end := listen(b, server(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
			rc := http.NewResponseController(w)
			_, _ = io.WriteString(w, "data: x\n\n")
			_ = rc.Flush()
			done := r.Context().Done()
			sent <- struct{}{}
			<-done
		})))
		defer end()
		before := memory()
		conns := make([]net.Conn, streams)
		for i := range conns {
			conns[i] = dialBench(b, addr)
			defer conns[i].Close()
			if _, err := io.WriteString(conns[i], question); err != nil {
				b.Fatal(err)
			}
		}
		for range conns {
			<-sent
		}
		return (memory() - before) / streams
	}
	var ours, theirs float64
	for range min(b.N, 3) { // a round takes half a second
		ours = measure(func(h http.Handler) serving { return &uvicorn.Server{Handler: h} })
		theirs = measure(func(h http.Handler) serving { return &http.Server{Handler: h} })
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ours, "B/stream")
	b.ReportMetric(theirs, "B-net/http/stream")
	b.ReportMetric(ours/theirs, "of-net/http")
}

// memory is what lives on the heap and in stacks.
func memory() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse + m.StackInuse)
}

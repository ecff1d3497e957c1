//go:build linux

package http1_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/fluidmcp/fluidmcp/internal/web/http1"
)

// BenchmarkAnswer answers a kilobyte with a kilobyte on 32 connections, beside net/http. The processor time has the
// client's in it, which is the same for both.
func BenchmarkAnswer(b *testing.B) {
	answer := []byte(strings.Repeat("x", 1000))
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write(answer)
	})
	b.Run("http1", func(b *testing.B) {
		s := &http1.Server{Handler: h, BaseContext: context.Background(), ReadHeaderTimeout: time.Minute, IdleTimeout: time.Minute, Patience: time.Minute, MaxHeaderBytes: 1 << 16}
		answerAll(b, s.Serve, s.Shutdown)
	})
	b.Run("net-http", func(b *testing.B) {
		s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, IdleTimeout: time.Minute}
		answerAll(b, s.Serve, s.Shutdown)
	})
}

func answerAll(b *testing.B, serve func(net.Listener) error, shutdown func(context.Context) error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = serve(ln) }() // it ends with the shutdown
	request := "POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nUser-Agent: bench\r\n" +
		"Accept: */*\r\nContent-Length: 1000\r\n\r\n" + strings.Repeat("y", 1000)
	var clients sync.WaitGroup
	before := processorTime(b)
	b.ResetTimer()
	for range 32 {
		clients.Go(func() {
			if err := ask(ln.Addr().String(), request, b.N/32+1); err != nil {
				b.Error(err)
			}
		})
	}
	clients.Wait()
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	if err := errors.Join(shutdown(context.Background()), ln.Close()); err != nil && !errors.Is(err, net.ErrClosed) {
		b.Error(err)
	}
}

func ask(addr, request string, n int) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for range n {
		if _, err := io.WriteString(c, request); err != nil {
			return err
		}
		for line := ""; line != "\r\n"; {
			if line, err = in.ReadString('\n'); err != nil {
				return err
			}
		}
		if _, err := in.Discard(1000); err != nil {
			return err
		}
	}
	return nil
}

func processorTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

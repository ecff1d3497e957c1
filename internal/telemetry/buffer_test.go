package telemetry

import (
	"bytes"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// disk is a file of which the tests say how much more fits.
type disk struct {
	mu     sync.Mutex
	stored bytes.Buffer
	writes int
	room   int // bytes; negative is no limit
	stuck  chan struct{}
}

func (d *disk) Write(b []byte) (int, error) {
	if d.stuck != nil {
		<-d.stuck
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes++
	if d.room < 0 || len(b) <= d.room {
		d.room -= min(len(b), max(d.room, 0))
		return d.stored.Write(b)
	}
	n, _ := d.stored.Write(b[:d.room])
	d.room = 0
	return n, syscall.ENOSPC
}

func (d *disk) content() (string, int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stored.String(), d.writes
}

func TestBufferWritesManyLinesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{room: -1}
		b := NewBuffer(d)
		log, err := NewLogger(b, "info")
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			log.Info("request", zap.Int("status", 200))
		}
		synctest.Wait()
		if got, _ := d.content(); got != "" {
			t.Errorf("written at once: %q", got)
		}
		time.Sleep(flushEvery + time.Millisecond)
		if got, writes := d.content(); strings.Count(got, "\n") != 100 || writes != 1 {
			t.Errorf("%d lines in %d writes", strings.Count(got, "\n"), writes)
		}
		log.Info("the last")
		b.Close()
		if got, _ := d.content(); !strings.Contains(got, "the last") || b.Dropped() != 0 {
			t.Errorf("the end is %q, %d dropped", got, b.Dropped())
		}
	})
}

func TestBufferWithAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{room: 5}
		b := NewBuffer(d)
		say := func(lines string) {
			t.Helper()
			if n, err := io.WriteString(b, lines); n != len(lines) || err != nil {
				t.Errorf("logging returned %d, %v", n, err)
			}
			time.Sleep(flushEvery + time.Millisecond)
		}
		say("one\ntwo\n") // "two" is torn
		say("three\nfour\n")
		if b.Dropped() != 3 {
			t.Errorf("%d dropped, want 3", b.Dropped())
		}
		d.mu.Lock()
		d.room = -1
		d.mu.Unlock()
		say("five\n")
		b.Close()
		if got, _ := d.content(); got != "one\nt\nfive\n" || b.Dropped() != 3 {
			t.Errorf("stored %q, %d dropped", got, b.Dropped())
		}
	})
}

// Nobody reads the pipe: logging goes on, takes no more memory than allowed, and the program can end.
func TestBufferBeforeAPipeThatNobodyReads(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	b := NewBuffer(w)
	line := []byte(strings.Repeat("x", 1023) + "\n")
	const lines = 3 * mostWaiting >> 10
	for range lines {
		_, _ = b.Write(line)
	}
	b.mu.Lock() // its goroutine may take them just now
	waiting := len(b.waiting)
	b.mu.Unlock()
	if b.Dropped() == 0 || waiting > mostWaiting {
		t.Errorf("%d dropped, %d bytes wait", b.Dropped(), waiting)
	}
	b.Close()
	dropped := b.Dropped()
	w.Close() // ends the write
	r.Close()
	<-b.over
	if b.Dropped() <= dropped && dropped < lines-2*mostWaiting>>10 {
		t.Errorf("%d of %d lines are said to be lost", b.Dropped(), lines)
	}
}

// BenchmarkLogger compares a line that is written at once with one that is buffered.
func BenchmarkLogger(b *testing.B) {
	f := func(name string, wrap func(io.Writer) (io.Writer, func())) {
		b.Run(name, func(b *testing.B) {
			file, err := os.Create(b.TempDir() + "/log")
			if err != nil {
				b.Fatal(err)
			}
			defer file.Close()
			out, end := wrap(file)
			defer end()
			log, err := NewLogger(out, "info")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				log.Info("request", zap.String("method", "POST"), zap.String("path", "/v1/chat/completions"), zap.Int("status", 200))
			}
		})
	}
	f("at once", func(w io.Writer) (io.Writer, func()) { return w, func() {} })
	f("buffered", func(w io.Writer) (io.Writer, func()) { b := NewBuffer(w); return b, b.Close })
}

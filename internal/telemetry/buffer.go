package telemetry

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// flushEvery bounds how late a line is.
	flushEvery = 250 * time.Millisecond
	// mostWaiting bounds the lines that a slow disk or reader has not taken yet, in bytes.
	mostWaiting = 4 << 20
)

// Buffer takes log lines at once and writes them a moment later, many together, from a goroutine of its own. Whoever logs is never
// held up and never fails, whatever becomes of the lines: those that cannot be written, because the disk is full, or for
// which there is no more room, because nobody reads them, are dropped and counted.
type Buffer struct {
	to      io.Writer
	dropped atomic.Uint64

	mu      sync.Mutex
	waiting []byte
	more    chan struct{} // full once there is much to write
	closing chan struct{}
	over    chan struct{}
	torn    bool // the last line that was written has no end
}

// NewBuffer starts a buffer before to. Close ends it.
func NewBuffer(to io.Writer) *Buffer {
	b := &Buffer{to: to, more: make(chan struct{}, 1), closing: make(chan struct{}), over: make(chan struct{})}
	go b.run()
	return b
}

// Write takes whole lines. It never fails.
func (b *Buffer) Write(lines []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting)+len(lines) > mostWaiting {
		b.drop(lines)
		return len(lines), nil
	}
	b.waiting = append(b.waiting, lines...)
	if len(b.waiting) >= mostWaiting/8 {
		select {
		case b.more <- struct{}{}:
		default:
		}
	}
	return len(lines), nil
}

// Dropped is how many lines were lost so far.
func (b *Buffer) Dropped() uint64 { return b.dropped.Load() }

// Close writes what waits, for up to a second, and ends the buffer. It is called once, after the last line.
func (b *Buffer) Close() {
	close(b.closing)
	select {
	case <-b.over:
	case <-time.After(time.Second): // nobody reads: the program has to end all the same
	}
}

func (b *Buffer) run() {
	defer close(b.over)
	ticks := time.NewTicker(flushEvery)
	defer ticks.Stop()
	var lines []byte // and waiting change places
	for closing := false; !closing; {
		select {
		case <-ticks.C:
		case <-b.more:
		case <-b.closing:
			closing = true
		}
		b.mu.Lock()
		lines, b.waiting = b.waiting, lines[:0]
		b.mu.Unlock()
		b.write(lines)
	}
}

// write does not hold the lock: a disk may take its time.
func (b *Buffer) write(lines []byte) {
	if len(lines) == 0 {
		return
	}
	if b.torn {
		if _, err := b.to.Write([]byte("\n")); err != nil {
			b.drop(lines)
			return
		}
		b.torn = false
	}
	n, err := b.to.Write(lines)
	if err == nil {
		return
	}
	b.drop(lines[n:])
	b.torn = n > 0 && lines[n-1] != '\n'
}

func (b *Buffer) drop(lines []byte) { b.dropped.Add(uint64(bytes.Count(lines, []byte("\n")))) }

package logs

import (
	"bytes"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/logs/redact"
	"github.com/fluidmcp/fluidmcp/services/supervisor/logs/rotate"
)

// restored is how many bytes of a stream are read from disk when a supervisor begins.
const restored = 1 << 20

// Stream is what one model server prints. It is safe for concurrent use.
type Stream struct {
	logs     *Logs
	instance string

	writing   sync.Mutex // one Write after the other; taken before logs.mu
	split     splitter
	buf       []byte
	file      *rotate.File // nil: memory alone
	crashFile *rotate.File

	// What follows is guarded by logs.mu.
	ring      ring
	part      string // the line being written
	earlier   int64  // lines up to this offset are of an earlier supervisor
	begun     int64  // lines above this offset are of the present or last server
	observe   func(text string)
	crashes   []Crash
	followers map[chan struct{}]struct{}
}

// Observe has f called with each line, and with each state of a progress bar, without secrets and escape sequences, by the goroutine
// that writes. It replaces an earlier one.
func (s *Stream) Observe(f func(text string)) {
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	s.observe = f
}

// Begin marks the start of a new server: what comes from now on is its own.
func (s *Stream) Begin() {
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	s.begun = s.logs.last
}

// Write takes output as it comes. It never fails, and a disk that does costs nothing but the lines on it.
func (s *Stream) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.logs.mu.Lock()
	observe, hide := s.observe, s.logs.redactor
	s.logs.mu.Unlock()
	if observe == nil {
		observe = func(string) {}
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	s.buf = s.buf[:0]
	s.split.write(p, func(text []byte, long bool) {
		observe(Plain(hidden(hide, text, long)))
	}, func(text []byte, long bool) {
		line := hidden(hide, text, long)
		s.add(now, line)
		observe(Plain(line))
	})
	if s.file != nil && len(s.buf) > 0 { // before followers hear of it: a supervisor that is killed would give their offsets to other lines
		s.save(s.file, s.buf)
	}
	s.show(hide.HideOpen(valid(s.split.part)))
	return len(p), nil
}

// hidden is a line that has ended, ready for everybody.
func hidden(r *redact.Redactor, text []byte, long bool) string {
	if long {
		return r.HideOpen(valid(text)) + cut
	}
	return r.Hide(valid(text))
}

func valid(text []byte) string { return strings.ToValidUTF8(string(text), "\uFFFD") }

func (s *Stream) add(at time.Time, text string) {
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	s.logs.last++
	e := entry{s.logs.last, at, text}
	s.ring.add(e)
	if s.file != nil {
		s.buf = e.appendTo(s.buf)
	}
}

// show tells followers that there is something new.
func (s *Stream) show(part string) {
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	s.part = part
	for f := range s.followers {
		select {
		case f <- struct{}{}:
		default: // it is about to look
		}
	}
}

// save writes to a file of the stream, and tells only of the first failure and of the recovery.
func (s *Stream) save(f *rotate.File, lines []byte) {
	failing := f.Failing()
	err := f.Write(lines)
	if err != nil {
		s.logs.failures.Add(1)
	}
	if failing != f.Failing() {
		s.logs.tell(s.instance, err)
	}
}

func (s *Stream) close() {
	s.writing.Lock()
	defer s.writing.Unlock()
	for _, f := range []*rotate.File{s.file, s.crashFile} {
		if f == nil {
			continue
		}
		if err := f.Close(); err != nil {
			s.logs.tell(s.instance, err)
		}
	}
}

// appendTo writes the line as it stands in a file: offset, time and text.
func (e entry) appendTo(b []byte) []byte {
	b = strconv.AppendInt(b, e.offset, 10)
	b = append(b, ' ')
	b = e.at.AppendFormat(b, time.RFC3339Nano)
	b = append(b, ' ')
	b = append(b, e.text...)
	return append(b, '\n')
}

// parseEntry reads a line of a file. What is none, as half a line after a full disk, is left out.
func parseEntry(line []byte) (entry, bool) {
	number, rest, _ := bytes.Cut(line, []byte(" "))
	stamp, text, ok := bytes.Cut(rest, []byte(" "))
	offset, err := strconv.ParseInt(string(number), 10, 64)
	at, timeErr := time.Parse(time.RFC3339Nano, string(stamp))
	return entry{offset, at, valid(text)}, ok && err == nil && offset > 0 && timeErr == nil
}

// restore reads what an earlier supervisor has left. Nobody else has the stream yet, and the logs are not locked: they can print while
// this waits for the disk.
func (s *Stream) restore() {
	text, err := s.file.Tail(restored)
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		if e, ok := parseEntry(line); ok && e.offset > s.newest() {
			s.ring.add(e)
		}
	}
	if err == nil {
		err = s.restoreCrashes()
	}
	if err != nil {
		s.logs.tell(s.instance, err)
	}
	if lines := s.ring.lines; len(lines) > 0 {
		s.ring.gone = max(s.ring.gone, lines[0].offset-1)
	}
	s.earlier = s.newest()
}

func (s *Stream) newest() int64 {
	if n := len(s.ring.lines); n > 0 {
		return s.ring.lines[n-1].offset
	}
	return 0
}

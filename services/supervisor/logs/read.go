package logs

import (
	"cmp"
	"slices"
	"time"
)

// Line is one line that a model server printed, without the secrets in it.
type Line struct {
	Offset   int64     `json:"offset"`
	Instance string    `json:"instance"`
	Time     time.Time `json:"time"`
	Text     string    `json:"line"`
}

// batch bounds what a follower gets at once.
const batch = 500

// Read returns, in the order of their offsets, the first n lines after the offset since, or, with since negative or not known, the
// last n of each stream. Lines that are being written come last then, with an offset of 0.
func (l *Logs) Read(since int64, n int, streams []*Stream) []Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	tail := l.unknown(since)
	var lines []Line
	for _, s := range streams {
		if tail {
			lines = append(lines, s.last(n, 0)...)
		} else {
			entries := s.ring.after(since)
			lines = append(lines, s.lines(entries[:min(len(entries), n)])...)
		}
	}
	slices.SortStableFunc(lines, func(a, b Line) int {
		if (a.Offset == 0) != (b.Offset == 0) {
			return cmp.Compare(b.Offset, a.Offset)
		}
		return cmp.Compare(a.Offset, b.Offset)
	})
	if !tail {
		lines = lines[:min(len(lines), n)]
	}
	return lines
}

// unknown tells whether an offset is none, or of another life of the supervisor.
func (l *Logs) unknown(since int64) bool { return since < 0 || since > l.last }

// Last returns up to n lines, the oldest first. The one that is being written comes last, with an offset of 0.
func (s *Stream) Last(n int) []Line { return s.logs.Read(-1, n, []*Stream{s}) }

func (s *Stream) last(n int, after int64) []Line {
	entries := s.ring.after(after)
	part := s.part != "" && n > 0
	if part {
		n--
	}
	lines := s.lines(entries[max(0, len(entries)-n):])
	if part {
		lines = append(lines, s.unfinished())
	}
	return lines
}

// unfinished is the line that is being written.
func (s *Stream) unfinished() Line {
	return Line{Instance: s.instance, Time: time.Now().UTC().Truncate(time.Millisecond), Text: s.part}
}

func (s *Stream) lines(entries []entry) []Line {
	lines := make([]Line, len(entries), len(entries)+1)
	for i, e := range entries {
		lines[i] = Line{e.offset, s.instance, e.at, e.text}
	}
	return lines
}

// Present returns the last n lines of the present or last server, the oldest first, as plain text.
func (s *Stream) Present(n int) []string {
	s.logs.mu.Lock()
	lines := s.last(n, s.begun)
	s.logs.mu.Unlock()
	text := make([]string, len(lines))
	for i, line := range lines {
		text[i] = Plain(line.Text)
	}
	return text
}

// Follower reads streams as they grow, in the order of their offsets. It belongs to one goroutine.
type Follower struct {
	logs    *Logs
	sources []source
	read    int64 // greatest offset told, or where it began
	wake    chan struct{}
}

type source struct {
	*Stream
	at   int64  // offset read last
	part string // told last
}

// News is what has come since a follower looked last.
type News struct {
	Lines []Line
	Parts []Line // lines that are being written or overwritten, such as progress bars, where they have changed; offset 0
	Lost  bool   // some lines came and went unread
}

// Follow begins after the offset since, or, with since negative or not known, before the last lines of each stream. Close ends it.
func (l *Logs) Follow(since int64, lines int, streams []*Stream) *Follower {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := &Follower{logs: l, read: since, wake: make(chan struct{}, 1)}
	if l.unknown(since) {
		f.read = l.last
	}
	for _, s := range streams {
		at := since
		if l.unknown(since) {
			at = s.newest()
			if rest := s.ring.lines[max(0, len(s.ring.lines)-lines):]; len(rest) > 0 {
				at = rest[0].offset - 1
			}
		}
		f.add(s, at)
	}
	return f
}

func (f *Follower) add(s *Stream, at int64) {
	f.sources = append(f.sources, source{Stream: s, at: at})
	s.followers[f.wake] = struct{}{}
}

// Also has the follower read those of the streams that it does not read yet, from the last line on that it has read. What an earlier
// supervisor has left of them is no news.
func (f *Follower) Also(streams []*Stream) {
	f.logs.mu.Lock()
	defer f.logs.mu.Unlock()
	for _, s := range streams {
		if !slices.ContainsFunc(f.sources, func(known source) bool { return known.Stream == s }) {
			f.add(s, max(f.read, s.earlier))
		}
	}
}

// Changed has a value when there may be something new.
func (f *Follower) Changed() <-chan struct{} { return f.wake }

// Next returns what is new; no line when there is none.
func (f *Follower) Next() News {
	f.logs.mu.Lock()
	defer f.logs.mu.Unlock()
	var news News
	for i := range f.sources {
		s := &f.sources[i]
		if s.ring.gone > s.at {
			s.at, news.Lost = s.ring.gone, true
		}
		entries := s.ring.after(s.at)
		news.Lines = append(news.Lines, s.lines(entries[:min(len(entries), batch)])...)
		if len(entries) <= batch && s.part != s.Stream.part {
			s.part = s.Stream.part
			news.Parts = append(news.Parts, s.unfinished())
		}
	}
	slices.SortFunc(news.Lines, func(a, b Line) int { return cmp.Compare(a.Offset, b.Offset) })
	news.Lines = news.Lines[:min(len(news.Lines), batch)]
	for _, line := range news.Lines {
		f.read = max(f.read, line.Offset)
		for i := range f.sources {
			if f.sources[i].instance == line.Instance {
				f.sources[i].at = line.Offset
			}
		}
	}
	return news
}

// Close ends the following.
func (f *Follower) Close() {
	f.logs.mu.Lock()
	defer f.logs.mu.Unlock()
	for _, s := range f.sources {
		delete(s.followers, f.wake)
	}
}

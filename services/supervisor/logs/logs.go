package logs

import (
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/fluidmcp/fluidmcp/services/supervisor/logs/redact"
	"github.com/fluidmcp/fluidmcp/services/supervisor/logs/rotate"
)

// Config says where lines are kept.
type Config struct {
	Dir       string                           // folder of the files; "" keeps everything in memory alone
	FileBytes int64                            // of one file
	Files     int                              // of one stream, at least 1
	Failed    func(instance string, err error) // told when a file cannot be written, and with nil when it can again; nil: nobody is
}

// Logs are what the model servers of a supervisor print.
type Logs struct {
	cfg      Config
	failures atomic.Uint64

	mu       sync.Mutex // one for all streams: whoever reads several of them misses no line between two offsets
	last     int64      // offset given last
	streams  map[string]*Stream
	secrets  []string
	redactor *redact.Redactor
}

// New returns logs that know no secret.
func New(cfg Config) *Logs {
	return &Logs{cfg: cfg, streams: map[string]*Stream{}, redactor: redact.New(nil)}
}

// Hide adds secrets that no line may show from now on. Those of fewer than four bytes are not hidden.
func (l *Logs) Hide(secrets []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range secrets {
		if !slices.Contains(l.secrets, s) {
			l.secrets = append(l.secrets, s)
		}
	}
	l.redactor = redact.New(l.secrets)
}

// Stream returns that of an instance, with what an earlier supervisor has left of it on disk.
func (l *Logs) Stream(instance string) *Stream {
	known := func() *Stream {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.streams[instance]
	}
	if s := known(); s != nil {
		return s
	}
	made := l.open(instance)
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.streams[instance]
	if s == nil { // nobody else was quicker
		s = made
		l.last = max(l.last, s.earlier)
		s.begun = l.last
		l.streams[instance] = s
	}
	return s
}

// open makes the stream of an instance.
func (l *Logs) open(instance string) *Stream {
	s := &Stream{logs: l, instance: instance, followers: map[chan struct{}]struct{}{}}
	if l.cfg.Dir != "" {
		base := filepath.Join(l.cfg.Dir, strings.ReplaceAll(instance, "/", "~")) // no id has a ~
		s.file = &rotate.File{Path: base + ".log", Max: l.cfg.FileBytes, Keep: l.cfg.Files}
		s.crashFile = &rotate.File{Path: base + ".crashes.jsonl", Max: maxCrashFile, Keep: 2}
		s.restore()
	}
	return s
}

// Forget drops the stream of an instance that is gone. Its files stay, and one that comes in its place goes on there.
func (l *Logs) Forget(instance string) {
	l.mu.Lock()
	s := l.streams[instance]
	delete(l.streams, instance)
	l.mu.Unlock()
	if s != nil {
		s.close()
	}
}

// Close closes the files. A line that comes later opens its file again.
func (l *Logs) Close() {
	l.mu.Lock()
	streams := make([]*Stream, 0, len(l.streams))
	for _, s := range l.streams {
		streams = append(streams, s)
	}
	l.mu.Unlock()
	for _, s := range streams {
		s.close()
	}
}

// Failures counts how often a file could not be written.
func (l *Logs) Failures() uint64 { return l.failures.Load() }

func (l *Logs) tell(instance string, err error) {
	if l.cfg.Failed != nil {
		l.cfg.Failed(instance, err)
	}
}

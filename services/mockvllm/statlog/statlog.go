package statlog

import (
	"fmt"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
)

// Where is the place in vLLM's source that prints the line.
const Where = "loggers.py:335"

// Logger is the observer of one engine. Its methods may be called from any goroutine.
type Logger struct {
	rank int

	mu                sync.Mutex
	since             time.Time
	prompt, generated int // tokens since then; those from the prefix cache are left out
	quiet             bool
	last              standing
	prefix            lookups
}

// standing is how the engine stands after a step.
type standing struct {
	running, waiting, deferred int
	usage                      float64 // of the KV cache, 0 to 1
}

// New makes the logger of a data-parallel rank, whose first interval begins at now.
func New(rank int, now time.Time) *Logger { return &Logger{rank: rank, since: now, quiet: true} }

// Step is told of each step of the engine.
func (l *Logger) Step(it *engine.Iteration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if it.Outputs > 0 {
		l.prompt += it.PromptComputed
		l.generated += (1 + it.Repeats) * it.Generated
	}
	l.last = standing{it.Running, it.Waiting, it.Deferred, it.KVUsage}
	if it.PrefixReset {
		l.prefix.forget()
	}
	l.prefix.add(lookup{it.PrefixRequests, it.PrefixQueries, it.PrefixHits})
}

// Line ends an interval and tells of it. It is "" when there was no token in it nor in the one before: vLLM logs such a
// line at the level DEBUG. So the first interval without tokens is told, and then none.
//
// vLLM has a place for preemptions in the line and never fills it: it clears their number before it looks at it.
func (l *Logger) Line(now time.Time) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	prompt, generated := l.throughput(l.prompt, now), l.throughput(l.generated, now)
	l.since, l.prompt, l.generated = now, 0, 0
	quiet := prompt == 0 && generated == 0
	idle := quiet && l.quiet
	if l.quiet = quiet; idle {
		return ""
	}
	line := fmt.Sprintf("Engine %03d: Avg prompt throughput: %.1f tokens/s, Avg generation throughput: %.1f tokens/s, "+
		"Running: %d reqs, Waiting: %d reqs", l.rank, prompt, generated, l.last.running, l.last.waiting+l.last.deferred)
	if l.last.deferred > 0 {
		line += fmt.Sprintf(", Deferred: %d reqs", l.last.deferred)
	}
	line += fmt.Sprintf(", GPU KV cache usage: %.1f%%", l.last.usage*100)
	if percent, ok := l.prefix.percent(); ok {
		line += fmt.Sprintf(", Prefix cache hit rate: %.1f%%", percent)
	}
	return line
}

// throughput is in tokens per second.
func (l *Logger) throughput(tokens int, now time.Time) float64 {
	passed := now.Sub(l.since).Seconds()
	if passed <= 0 {
		return 0
	}
	return float64(tokens) / passed
}

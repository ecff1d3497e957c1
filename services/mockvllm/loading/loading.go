package loading

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/console"
)

// Model is what is loaded.
type Model struct {
	Name   string
	MaxLen int  // tokens of a request
	Tokens int  // that the KV cache holds
	Eager  bool // nothing is compiled, and no graphs are captured
}

// step is what is printed once a share of the time is over.
type step struct {
	at    float64
	print func(c *console.Console, since since)
}

// since gives the seconds from a share of the time to the present step.
type since func(share float64) float64

// shards is how many files the weights have, and graphs how many sizes of a batch are captured.
const (
	shards = 10
	graphs = 35
)

// The shares of the time at which its stages begin, roughly those of a model of eight billion parameters on a GPU of its own that is not
// in the cache of compiled graphs.
const (
	engineAt  = .05
	weightsAt = .1
	compileAt = .5
	cacheAt   = .75
	graphsAt  = .8
	readyAt   = .97
)

// Run returns once the time is over, and false when ctx ended first.
func Run(ctx context.Context, c *console.Console, m Model, total time.Duration) bool {
	begin := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	if total == 0 {
		return ctx.Err() == nil
	}
	for _, s := range append(m.steps(), step{1, func(*console.Console, since) {}}) {
		timer.Reset(time.Until(begin.Add(time.Duration(s.at * float64(total)))))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
		s.print(c, func(share float64) float64 { return (s.at - share) * total.Seconds() })
	}
	return true
}

func (m Model) steps() []step {
	steps := []step{
		{engineAt, func(c *console.Console, _ since) {
			c.Log("EngineCore", "INFO", "core.py:133", "Initializing a V1 LLM engine (v0.32.0) with config: model='%s', max_seq_len=%d, ...", m.Name, m.MaxLen)
		}},
		{weightsAt, func(c *console.Console, _ since) {
			c.Log("Worker", "INFO", "gpu_model_runner.py:5040", "Starting to load model %s...", m.Name)
		}},
	}
	steps = append(steps, bar(weightsAt, compileAt, shards, func(n int, times string) string {
		return fmt.Sprintf("\rLoading safetensors checkpoint shards: %3d%% Completed | %d/%d %s\n", 100*n/shards, n, shards, times)
	})...)
	steps = append(steps, step{compileAt, func(c *console.Console, since since) {
		c.Log("Worker", "INFO", "default_loader.py:501", "Loading weights took %.2f seconds", since(weightsAt))
		c.Log("Worker", "INFO", "gpu_model_runner.py:5150", "Model loading took 14.99 GiB memory and %f seconds", since(weightsAt))
	}})
	if !m.Eager {
		steps = append(steps,
			step{compileAt, func(c *console.Console, _ since) {
				c.Log("Worker", "INFO", "monitor.py:40", "Starting torch.compile")
			}},
			step{compileAt + .1, func(c *console.Console, since since) {
				c.Log("Worker", "INFO", "backends.py:1167", "Dynamo bytecode transform time: %.2f s", since(compileAt))
			}},
			step{compileAt + .2, func(c *console.Console, since since) {
				c.Log("Worker", "INFO", "backends.py:399", "Compiling a graph for compile range (1, 8192) takes %.2f s", since(compileAt+.1))
			}})
	}
	steps = append(steps, step{cacheAt, func(c *console.Console, since since) {
		c.Log("Worker", "INFO", "monitor.py:92", "Initial profiling/warmup run took %.2f s", since(compileAt+.2))
		c.Log("Worker", "INFO", "gpu_worker.py:760", "Available KV cache memory: 5.03 GiB")
		c.Log("EngineCore", "INFO", "kv_cache_utils.py:2327", "GPU KV cache size: %s tokens, Maximum concurrency for %s tokens per request: %.2fx",
			grouped(m.Tokens), grouped(m.MaxLen), float64(m.Tokens)/float64(max(m.MaxLen, 1)))
	}})
	if !m.Eager {
		steps = append(steps, bar(graphsAt, readyAt, graphs, func(n int, times string) string {
			return fmt.Sprintf("\rCapturing CUDA graphs (mixed prefill-decode, PIECEWISE): %3d%%|%-10s| %d/%d %s",
				100*n/graphs, strings.Repeat("█", 10*n/graphs), n, graphs, times)
		})...)
		steps = append(steps, step{readyAt, func(c *console.Console, since since) {
			c.Log("Worker", "INFO", "gpu_model_runner.py:6582", "Graph capturing finished in %.0f secs, took 0.51 GiB", since(graphsAt))
		}})
	}
	return append(steps, step{readyAt, func(c *console.Console, since since) {
		c.Log("EngineCore", "INFO", "core.py:402", "init engine (profile, create kv cache, warmup model) took %.2f s", since(compileAt))
	}})
}

// bar is a progress bar of n things that fills from one share to another, as tqdm writes it: each state begins with a carriage return,
// and the last one ends with a line feed.
func bar(from, to float64, n int, text func(n int, times string) string) []step {
	steps := make([]step, n+1)
	for i := range steps {
		steps[i] = step{from + (to-from)*float64(i)/float64(n), func(c *console.Console, since since) {
			c.Write(text(i, times(i, n, since(from))))
			if i == n {
				c.Write("\n")
			}
		}}
	}
	return steps
}

// times is what tqdm tells of n of so many things that took some seconds.
func times(n, all int, took float64) string {
	if n == 0 {
		return "[00:00<?, ?it/s]"
	}
	each := took / float64(n)
	rate := fmt.Sprintf("%5.2fit/s", 1/each)
	if each > 1 {
		rate = fmt.Sprintf("%5.2fs/it", each)
	}
	return fmt.Sprintf("[%s<%s, %s]", clock(took), clock(each*float64(all-n)), rate)
}

// clock writes a time as tqdm does: 01:05, or 1:00:05 from an hour on.
func clock(seconds float64) string {
	s := int(seconds)
	if s < 3600 {
		return fmt.Sprintf("%02d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// grouped writes a number with commas, as Python's {:,} does.
func grouped(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

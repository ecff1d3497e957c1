package statlog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/statlog"
)

var began = time.Unix(1000, 0)

// TestLine goes through one server's life; each interval is 10 s after the one before, and told as vLLM 0.32 tells it.
func TestLine(t *testing.T) {
	l, now := statlog.New(0, began), began
	f := func(name, want string, steps ...engine.Iteration) {
		t.Helper()
		for _, it := range steps {
			l.Step(&it)
		}
		now = now.Add(10 * time.Second)
		require.Equal(t, want, l.Line(now), name)
	}
	f("nothing has come yet", "")
	f("without the prefix cache", "Engine 000: Avg prompt throughput: 64.4 tokens/s, Avg generation throughput: 7.1 tokens/s, "+
		"Running: 0 reqs, Waiting: 0 reqs, GPU KV cache usage: 0.0%",
		engine.Iteration{Running: 1, KVUsage: 0.5, Outputs: 1, PromptComputed: 640, PromptCached: 128, Generated: 58},
		engine.Iteration{Outputs: 2, Generated: 2, Repeats: 5},
		engine.Iteration{Outputs: 1, PromptComputed: 4, Generated: 1})
	f("no token came", "Engine 000: Avg prompt throughput: 0.0 tokens/s, Avg generation throughput: 0.0 tokens/s, "+
		"Running: 16 reqs, Waiting: 4 reqs, GPU KV cache usage: 0.6%, Prefix cache hit rate: 29.8%",
		engine.Iteration{Running: 16, Waiting: 4, KVUsage: 0.0063, PrefixRequests: 20, PrefixQueries: 1000, PrefixHits: 298,
			PromptComputed: 1, Generated: 1}) // nobody got these
	f("and none again", "")
	f("still none", "")
	f("deferred ones wait, too", "Engine 000: Avg prompt throughput: 0.0 tokens/s, Avg generation throughput: 0.1 tokens/s, "+
		"Running: 1 reqs, Waiting: 5 reqs, Deferred: 2 reqs, GPU KV cache usage: 100.0%, Prefix cache hit rate: 29.8%",
		engine.Iteration{Running: 1, Waiting: 3, Deferred: 2, KVUsage: 1, Outputs: 1, Generated: 1})
	f("the cache was reset", "Engine 000: Avg prompt throughput: 0.0 tokens/s, Avg generation throughput: 0.0 tokens/s, "+
		"Running: 0 reqs, Waiting: 0 reqs, GPU KV cache usage: 0.0%", engine.Iteration{PrefixReset: true})
	f("and that is all", "")
}

func TestTheHitRateIsOfTheNewestThousandRequests(t *testing.T) {
	l, now := statlog.New(3, began), began
	f := func(want string, steps ...engine.Iteration) {
		t.Helper()
		for _, it := range steps {
			it.Outputs, it.Generated = 1, 1
			l.Step(&it)
		}
		now = now.Add(time.Second)
		line := l.Line(now)
		require.True(t, strings.HasPrefix(line, "Engine 003: ") && strings.HasSuffix(line, "Prefix cache hit rate: "+want), line)
	}
	hits := engine.Iteration{PrefixRequests: 400, PrefixQueries: 400, PrefixHits: 400}
	misses := engine.Iteration{PrefixRequests: 400, PrefixQueries: 400}
	f("100.0%", hits)
	f("50.0%", misses)
	f("0.0%", misses) // 1200 are too many, so the first 400 go
	f("50.0%", hits)
	f("0.0%", engine.Iteration{PrefixRequests: 5000, PrefixQueries: 5000}) // one step is kept in any case
	f("100.0%", hits)
	reset := hits
	reset.PrefixReset, reset.PrefixHits = true, 100 // what was looked up since counts
	f("25.0%", reset)
}

func TestNoTimeHasPassed(t *testing.T) {
	l := statlog.New(0, began)
	l.Step(&engine.Iteration{Outputs: 1, Generated: 5})
	require.Empty(t, l.Line(began))
}

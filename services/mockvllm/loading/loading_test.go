package loading_test

import (
	"bytes"
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/console"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/loading"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// load runs a load, and returns what it prints, without what varies and without the process in front, and whether it came to its end.
func load(t *testing.T, m loading.Model, total, patience time.Duration) (lines []string, done bool, took time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		var out bytes.Buffer
		begin := time.Now()
		done = loading.Run(ctx, console.New(&out), m, total)
		took = time.Since(begin)
		text := regexp.MustCompile(`\((\w+) pid=\d+\) INFO \d\d-\d\d \d\d:\d\d:\d\d \[[\w.]+:\d+\] `).ReplaceAllString(out.String(), "$1: ")
		for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r", "\n\r"), "\n") {
			if line != "" {
				lines = append(lines, line)
			}
		}
	})
	return lines, done, took
}

func TestLoad(t *testing.T) {
	model := loading.Model{Name: "org/m", MaxLen: 40960, Tokens: 1 << 20}
	lines, done, took := load(t, model, time.Minute, time.Hour)
	if !done || took != time.Minute {
		t.Errorf("done %t after %s", done, took)
	}
	want := []string{
		"EngineCore: Initializing a V1 LLM engine (v0.32.0) with config: model='org/m', max_seq_len=40960, ...",
		"Worker: Starting to load model org/m...",
		"\rLoading safetensors checkpoint shards:   0% Completed | 0/10 [00:00<?, ?it/s]",
		"\rLoading safetensors checkpoint shards:  10% Completed | 1/10 [00:02<00:21,  2.40s/it]",
		"...",
		"\rLoading safetensors checkpoint shards: 100% Completed | 10/10 [00:24<00:00,  2.40s/it]",
		"Worker: Loading weights took 24.00 seconds",
		"Worker: Model loading took 14.99 GiB memory and 24.000000 seconds",
		"Worker: Starting torch.compile",
		"Worker: Dynamo bytecode transform time: 6.00 s",
		"Worker: Compiling a graph for compile range (1, 8192) takes 6.00 s",
		"Worker: Initial profiling/warmup run took 3.00 s",
		"Worker: Available KV cache memory: 5.03 GiB",
		"EngineCore: GPU KV cache size: 1,048,576 tokens, Maximum concurrency for 40,960 tokens per request: 25.60x",
	}
	lines = slices.Replace(lines, 4, 12, "...") // the bar goes on
	if diff := cmp.Diff(want, lines[:len(want)]); diff != "" {
		t.Error(diff)
	}
	rest := lines[len(want):]
	want = []string{
		"\rCapturing CUDA graphs (mixed prefill-decode, PIECEWISE):   0%|          | 0/35 [00:00<?, ?it/s]",
		"\rCapturing CUDA graphs (mixed prefill-decode, PIECEWISE): 100%|██████████| 35/35 [00:10<00:00,  3.43it/s]",
		"Worker: Graph capturing finished in 10 secs, took 0.51 GiB",
		"EngineCore: init engine (profile, create kv cache, warmup model) took 28.20 s",
	}
	if diff := cmp.Diff(want, append(rest[:1:1], rest[len(rest)-3:]...)); diff != "" || len(rest) != 38 {
		t.Errorf("%d lines of the graphs:\n%s", len(rest), diff)
	}
}

func TestEagerModelsAreNotCompiled(t *testing.T) {
	lines, _, took := load(t, loading.Model{Name: "m", Eager: true}, time.Minute, time.Hour)
	if text := strings.Join(lines, "\n"); took != time.Minute || strings.Contains(text, "torch.compile") || strings.Contains(text, "graphs") || !strings.Contains(text, "init engine") {
		t.Errorf("%s:\n%s", took, text)
	}
}

func TestLoadEndsEarly(t *testing.T) {
	lines, done, took := load(t, loading.Model{Name: "m"}, time.Minute, 20*time.Second)
	if last := lines[len(lines)-1]; done || took != 20*time.Second || !strings.HasPrefix(last, "\rLoading safetensors checkpoint shards:  50%") {
		t.Errorf("done %t after %s with %q", done, took, last)
	}
	if lines, _, _ = load(t, loading.Model{Name: "m"}, 15*time.Hour, 4*time.Hour); !strings.HasSuffix(lines[len(lines)-1], "4/10 [2:24:00<3:36:00, 2160.00s/it]") {
		t.Errorf("of hours: %q", lines)
	}
	if lines, done, _ := load(t, loading.Model{Name: "m"}, 0, time.Hour); !done || len(lines) > 0 {
		t.Errorf("without a time: done %t, %q", done, lines)
	}
}

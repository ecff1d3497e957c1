package classify_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/supervisor/classify"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// progressOf is what a scanner tells of lines that come a second apart, each as "stage percent".
func progressOf(t *testing.T, lines []string) []string {
	var told []string
	synctest.Test(t, func(*testing.T) {
		s := classify.NewScanner(func(p unit.Progress) {
			told = append(told, fmt.Sprint(p.Stage, " ", p.Percent))
		})
		for _, line := range lines {
			s.Line(line)
			time.Sleep(time.Second)
		}
	})
	return told
}

func TestProgressOfARealStart(t *testing.T) {
	want := []string{
		"starting -1", "starting -1", "starting -1", // flags, architecture, length
		"starting the engine -1", "starting the engine -1", "starting the engine -1", // begun, by the engine and by the worker
		"loading weights -1", "loading weights -1", "loading weights 0", "loading weights 100", "loading weights 100", // the bar, how long it took
		"allocating the KV cache -1", "allocating the KV cache -1",
		"starting the server -1", "starting the server -1", "starting the server -1", "starting the server 100",
	}
	if diff := cmp.Diff(want, progressOf(t, printed(t, "start.log"))); diff != "" {
		t.Error(diff)
	}
}

// TestProgressOfAGPU has lines that a CPU does not print, from the source of vLLM 0.32: compilation/backends.py and monitor.py,
// v1/worker/gpu_model_runner.py and gpu_worker.py, model_executor/warmup; and the bars of huggingface_hub.
func TestProgressOfAGPU(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		if diff := cmp.Diff([]string{want}, progressOf(t, []string{line})); diff != "" {
			t.Errorf("%q:\n%s", line, diff)
		}
	}
	info := "(EngineCore pid=7) INFO 11-29 19:54:45 [x.py:1] "
	f("Fetching 12 files:  33%|███▎      | 4/12 [00:10<00:20,  2.5s/it]", "downloading 33")
	f("model-00001-of-00004.safetensors:   7%|▋         | 346M/4.98G [00:03<00:42, 108MB/s]", "downloading 7")
	f("(Worker_TP0 pid=9) Loading safetensors checkpoint shards:  25% Completed | 1/4 [00:00<00:02,  1.32it/s]", "loading weights 25")
	f("Loading pt checkpoint shards:  50% Completed | 1/2 [00:01<00:01,  1.0it/s]", "loading weights 50")
	f(info+"Model loading took 14.99 GiB memory and 5.512345 seconds", "loading weights 100")
	f(info+"Using cache directory: /c/torch_compile_cache for vLLM's torch.compile", "compiling -1")
	f(info+"Dynamo bytecode transform time: 5.12 s", "compiling -1")
	f(info+"Compiling a graph for compile range (1, 8192) takes 21.30 s", "compiling -1")
	f(info+"Directly load the compiled graph(s) for compile range (1, 8192) from the cache, took 1.23 s", "compiling -1")
	f(info+"Initial profiling/warmup run took 0.44 s", "profiling memory -1")
	f(info+"Available KV cache memory: 5.03 GiB", "allocating the KV cache -1")
	f(info+"GPU KV cache size: 41,216 tokens", "allocating the KV cache -1")
	f("JIT kernel warmup (24 compile keys):  12%|█▎        | 1/8 [00:02<00:14,  2.05s/kernel]", "warming up 12")
	f("Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  45%|████▌     | 30/67 [00:05<00:04,  7.85it/s]", "capturing graphs 45")
	f(info+"Graph capturing finished in 7 secs, took 0.51 GiB", "capturing graphs 100")
	f("something new:  40%|████      | 2/5 [00:01<00:01,  1.0it/s]", "loading 40")

	for _, line := range []string{"", "INFO:     127.0.0.1:1 - \"POST /v1/chat/completions HTTP/1.1\" 200 OK",
		"(APIServer pid=1) INFO 11-29 19:54:45 [loggers.py:335] Engine 000: Avg prompt throughput: 64.4 tokens/s, GPU KV cache usage: 12.0%, Prefix cache hit rate: 34.0%"} {
		if told := progressOf(t, []string{line}); told != nil {
			t.Errorf("%q is taken for %q", line, told)
		}
	}
}

func TestRepetitionIsNoProgress(t *testing.T) {
	bar := "Loading safetensors checkpoint shards:  25%% Completed | 1/4 [00:%02d<00:02,  1.32it/s]"
	var lines []string
	for i := range 50 {
		lines = append(lines, fmt.Sprintf(bar, i)) // it stands, and only its clock goes on
		lines = append(lines, fmt.Sprintf("(Worker pid=3) INFO 11-29 19:54:%02d [x.py:1] Starting to load model m...", i))
	}
	if diff := cmp.Diff([]string{"loading weights 25", "loading weights 25"}, progressOf(t, lines)); diff != "" {
		t.Error(diff)
	}
}

func TestQuickBarsAreToldNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []float64
		s := classify.NewScanner(func(p unit.Progress) { told = append(told, p.Percent) })
		for i := range 101 {
			s.Line(fmt.Sprintf("Fetching 100 files: %3d%%|###  | %d/100", i, i))
			time.Sleep(20 * time.Millisecond)
		}
		if len(told) < 8 || len(told) > 12 || told[len(told)-1] != 100 {
			t.Errorf("told %v", told)
		}
	})
}

// FuzzLine checks that any line is taken, and that percentages are ones.
func FuzzLine(f *testing.F) {
	f.Add("Loading:  25% Completed | 1/4")
	f.Add("(Worker pid=3) INFO 11-29 19:54:45 [x.py:1] torch.compile")
	f.Add("x: 999%|\xff")
	f.Fuzz(func(t *testing.T, line string) {
		classify.NewScanner(func(p unit.Progress) {
			if p.Stage == "" || p.Percent > 100 || p.Percent < -1 || strings.ToLower(p.Stage[:1]) != p.Stage[:1] {
				t.Errorf("%q: %+v", line, p)
			}
		}).Line(line)
	})
}

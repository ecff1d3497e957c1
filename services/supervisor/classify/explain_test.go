package classify_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/supervisor/classify"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// printed is the log of a real vLLM 0.32 on a CPU, shortened.
func printed(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.FieldsFunc(string(text), func(c rune) bool { return c == '\n' || c == '\r' })
}

const (
	permanent = true
	passing   = false
)

func check(t *testing.T, got unit.Finding, reason unit.Reason, permanent bool, message string) {
	t.Helper()
	if got.Reason != reason || got.Permanent != permanent || !strings.Contains(got.Message, message) || message == "" && got.Message != "" {
		t.Errorf("%s, permanent %t, %q; want %s, %t, %q", got.Reason, got.Permanent, got.Message, reason, permanent, message)
	}
	if got.Reason == "" && got.Message != "" {
		t.Errorf("a message without a reason: %q", got.Message)
	}
}

func TestRealLogs(t *testing.T) {
	f := func(log string, exit unit.Exit, reason unit.Reason, permanent bool, message string) {
		t.Helper()
		lines := printed(t, log)
		got := classify.Explain(exit, lines)
		check(t, got, reason, permanent, message)
		if n := len(got.Lines); n != min(len(lines), 20) || got.Lines[n-1] != lines[len(lines)-1] {
			t.Errorf("%s: the finding has %d lines", log, n)
		}
	}
	f("badflag.log", unit.Exit{Code: 2}, unit.BadArguments, permanent, "understand its command line: unrecognized arguments: --no-such-flag")
	f("badvalue.log", unit.Exit{Code: 2}, unit.BadArguments, permanent, "argument --max-num-seqs: invalid int value: 'x'")
	f("toolong.log", unit.Exit{Code: 1}, unit.BadArguments, permanent, "refuses its settings: User-specified max_model_len (999999) is greater than")
	f("toolchoice.log", unit.Exit{Code: 1}, unit.BadArguments, permanent, "Error: --enable-auto-tool-choice requires --tool-call-parser")
	f("taken.log", unit.Exit{Code: 1}, unit.PortInUse, passing, "another process holds the port: Address already in use; free it or change --port")
	f("badparser.log", unit.Exit{Code: 1}, unit.BadArguments, permanent, "refuses its settings: invalid tool call parser: no-such-parser")
	f("nofolder.log", unit.Exit{Code: 1}, unit.ModelNotFound, permanent, "there is no such model: Repo id must")
	f("kvcache.log", unit.Exit{Code: 1}, unit.GPUOutOfMemory, permanent,
		"larger than the available KV cache memory (1.0 GiB). Based on the available memory, the estimated maximum model length is 1048448; lower --max-model-len")
	f("enginekilled.log", unit.Exit{Code: 0}, unit.Exited, passing, "the server exited with code 0: [shutdown] MPClient: engine core exited unexpectedly")
	f("enginekilled.log", unit.Exit{Code: 0, OOM: true}, unit.HostOOMKilled, passing, "the kernel killed it")
	f("workerkilled.log", unit.Exit{Code: 1}, unit.Exited, passing, "WorkerProc initialization failed")
	f("workerkilled.log", unit.Exit{Code: 1, OOM: true}, unit.HostOOMKilled, passing, "the kernel killed it")
	f("offline.log", unit.Exit{Code: 1}, unit.ModelNotFound, permanent, "unset HF_HUB_OFFLINE, or download it first")
	f("unreachable.log", unit.Exit{Code: 1}, unit.Exited, passing, "OSError: We couldn't connect to 'https://huggingface.co'")
	f("start.log", unit.Exit{Code: 0}, "", passing, "")
}

// TestTexts has what vLLM on a CPU does not print; rules.go says where the texts are from.
func TestTexts(t *testing.T) {
	f := func(lines string, exit unit.Exit, reason unit.Reason, permanent bool, message string) {
		t.Helper()
		check(t, classify.Explain(exit, strings.Split(lines, "\n")), reason, permanent, message)
	}
	failed := unit.Exit{Code: 1}
	core := "(EngineCore pid=7) ERROR 11-29 19:54:45 [core.py:1512] "
	ending := "\n(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}"

	f(core+"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 224.00 MiB. GPU 0 has a total capacity of 23.56 GiB of which 56.88 MiB is free."+ending,
		failed, unit.GPUOutOfMemory, passing, "CUDA out of memory. Tried to allocate 224.00 MiB")
	f(core+"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 1 has a total capacity of 23.57 GiB of which 605.88 MiB is free. "+
		"Including non-PyTorch memory, this process has 22.96 GiB memory in use. Of the allocated memory 22.51 GiB is allocated by PyTorch"+ending,
		failed, unit.GPUOutOfMemory, passing, "605.88 MiB is free; lower --gpu-memory-utilization")
	f(core+"RuntimeError: CUDA out of memory occurred when warming up sampler with 1024 dummy requests. Please try lowering `max_num_seqs`"+ending,
		failed, unit.GPUOutOfMemory, passing, "warming up sampler")
	f("Application startup complete.\ntorch.OutOfMemoryError: HIP out of memory. Tried to allocate 2.00 GiB.", unit.Exit{}, unit.GPUOutOfMemory, passing, "HIP out of memory")
	f("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", failed, unit.GPUOutOfMemory, passing, "2.00 GiB; lower")
	f("Cuda failure 'out of memory'", failed, unit.GPUOutOfMemory, passing, "out of memory")
	f(core+"ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine."+ending,
		failed, unit.GPUOutOfMemory, permanent, "raise --gpu-memory-utilization")
	f(core+"ValueError: To serve at least one request with the model's max seq len (131072), (16.0 GiB KV cache is needed, which is larger than the available "+
		"KV cache memory (3.42 GiB). Based on the available memory, the estimated maximum model length is 28016. Try increasing"+ending,
		failed, unit.GPUOutOfMemory, permanent, "the estimated maximum model length is 28016; lower --max-model-len")
	f("ValueError: To serve at least one request with the models's max seq len (262144), (24.0 GiB KV cache is needed, which is larger than the available "+
		"KV cache memory (3.18 GiB).", failed, unit.GPUOutOfMemory, permanent, "cache memory (3.18 GiB); lower --max-model-len") // vLLM 0.15
	f("ValueError: Total number of attention heads (64) must be divisible by tensor parallel size (6).", failed, unit.BadArguments, permanent, "heads (64) must be divisible")
	f(core+"ValueError: Free memory on device cuda:0 (3.22/4.0 GiB) on startup is less than desired GPU memory utilization (0.9, 3.6 GiB). Decrease"+ending,
		failed, unit.GPUOutOfMemory, passing, "holds the GPU's memory: Free memory on device cuda:0 (3.22/4.0 GiB)")

	hub := "OSError: You are trying to access a gated repo.\nMake sure to have access to it at https://huggingface.co/org/m.\n" +
		"403 Client Error. (Request ID: x)\n\nCannot access gated repo for url https://huggingface.co/org/m/resolve/main/config.json.\nAccess to model org/m is restricted"
	f(hub, failed, unit.AuthRequired, permanent, "ask for access")
	f("huggingface_hub.errors.HfHubHTTPError: 401 Client Error\nInvalid credentials in Authorization header", failed, unit.AuthRequired, permanent, "correct HF_TOKEN")
	f("OSError: org/nope is not a local folder and is not a valid model identifier listed on 'https://huggingface.co/models'", failed, unit.ModelNotFound, permanent, "org/nope is not")
	f("Repository Not Found for url: https://huggingface.co/api/models/org/nope.\nPlease make sure", failed, unit.ModelNotFound, permanent, "org/nope")
	f("OSError: v9 is not a valid git identifier (branch name, tag name or commit id) that exists", failed, unit.ModelNotFound, permanent, "--revision")
	f("RuntimeError: Cannot find any model weights with `./m`", failed, unit.ModelNotFound, permanent, "not complete")

	f("RuntimeError: [enforce fail at alloc_cpu.cpp:119] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.", failed, unit.HostOOMKilled, passing, "no memory left")
	f("mockvllm: open port: listen tcp 127.0.0.1:8001: bind: address already in use", failed, unit.PortInUse, passing, "holds the port")
	f("(APIServer pid=1) WARNING 11-29 19:54:45 [parallel.py:746] Address already in use. Retrying with a new port.\nValueError: else", failed, unit.Exited, passing, "ValueError: else")
	f("ValueError: Model architectures ['X'] are not supported for now. Supported architectures: dict_keys([])", failed, unit.BadArguments, permanent, "are not supported for now")
	f("usage: x\nx: error: unrecognized arguments: -x", failed, "", passing, "") // argparse exits with 2
}

func TestWhatIsSaidLastOfAnUnknownEnd(t *testing.T) {
	f := func(lines string, exit unit.Exit, message string) {
		t.Helper()
		check(t, classify.Explain(exit, strings.Split(lines, "\n")), unit.Exited, passing, message)
	}
	f("(Worker pid=3) ERROR 11-29 19:54:45 [multiproc_executor.py:790] ncclInternalError: Internal check failed.\n"+
		"(EngineCore pid=2) Exception: WorkerProc initialization failed due to an exception in a background process. See stack trace for root cause.\n"+
		"(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {'EngineCore': 1}",
		unit.Exit{Code: 1}, "the server exited with code 1: ncclInternalError: Internal check failed.")
	f("Traceback (most recent call last):\nKeyError: 'x'\nINFO:     Shutting down", unit.Exit{Code: 1}, "KeyError: 'x'")
	f("sh: 1: vlm: command not found", unit.Exit{Code: 127}, "code 127: sh: 1: vlm: command not found")
	f("mockvllm: configure mockvllm: --max-num-seqs: 0 is not positive", unit.Exit{Code: 1}, "0 is not positive")
	f("Application startup complete.\nValueError: of a request\n  Value error, of a request too", unit.Exit{Signal: "segmentation fault"}, "of a request")
}

func TestKilledForMemory(t *testing.T) {
	f := func(exit unit.Exit, line string, reason unit.Reason, message string) {
		t.Helper()
		check(t, classify.Explain(exit, []string{line}), reason, passing, message)
	}
	const kernel = "the kernel killed it"
	f(unit.Exit{Code: 137, Signal: "killed", OOM: true}, "", unit.HostOOMKilled, kernel)
	f(unit.Exit{Code: 137, Signal: "killed"}, "", "", "")
	worker := "(EngineCore pid=2) ERROR 11-29 19:54:45 [multiproc_executor.py:316] Worker proc VllmWorker-0 died unexpectedly (exit code: -9), shutting down executor."
	f(unit.Exit{Code: 1, OOM: true}, worker, unit.HostOOMKilled, kernel)
	f(unit.Exit{Code: 1}, worker, unit.Exited, "died unexpectedly (exit code: -9)")
	f(unit.Exit{Code: 1, OOM: true}, "ValueError: of its own", unit.Exited, "of its own") // somebody else was killed
}

// FuzzExplain checks that no log breaks it, and that what it finds has a reason of the list and words for people.
func FuzzExplain(f *testing.F) {
	names, err := filepath.Glob("testdata/*.log")
	if err != nil || len(names) == 0 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), 1, false)
		f.Add(string(text), 2, true)
	}
	f.Add("x: error: argument \xff", 2, true)
	f.Fuzz(func(t *testing.T, log string, code int, oom bool) {
		lines := strings.Split(log, "\n")
		found := classify.Explain(unit.Exit{Code: code, OOM: oom}, lines)
		if (found.Reason == "") != (found.Message == "") || len(found.Message) > 1000 || strings.Contains(found.Message, "\n") || len(found.Lines) > len(lines) {
			t.Errorf("%q: %+v", log, found)
		}
	})
}

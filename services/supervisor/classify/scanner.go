package classify

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/clip"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// The stages of a start, in their order.
const (
	starting    = "starting" // imports and configuration
	engine      = "starting the engine"
	downloading = "downloading"
	weights     = "loading weights"
	compiling   = "compiling"
	profiling   = "profiling memory"
	cache       = "allocating the KV cache"
	capturing   = "capturing graphs"
	warming     = "warming up"
	serving     = "starting the server"
	other       = "loading" // a progress bar of something else
)

// steps are lines that tell where vLLM is, by a part of them.
var steps = []struct {
	has   string
	stage string
	done  bool // of the stage, 100 %
}{
	{has: "non-default args:", stage: starting},
	{has: "Resolved architecture:", stage: starting},
	{has: "Using max model len", stage: starting},
	{has: "Initializing a V1 LLM engine", stage: engine},
	{has: "world_size=", stage: engine}, // the engine has found its workers, and each worker the others: minutes apart on a busy machine
	{has: "Starting to load model", stage: weights},
	{has: "Initializing model took", stage: weights},
	{has: "Loading weights took", stage: weights, done: true},
	{has: "Model loading took", stage: weights, done: true},
	{has: "Starting torch.compile", stage: compiling},
	{has: "for vLLM's torch.compile", stage: compiling}, // the folder of its cache
	{has: "torch.compile took", stage: compiling},
	{has: "Warming up model for the compilation", stage: compiling}, // on a CPU
	{has: "Dynamo bytecode transform time", stage: compiling},
	{has: "Compiling a graph for", stage: compiling},
	{has: "Cache the graph of", stage: compiling},
	{has: "Directly load", stage: compiling}, // from the cache of an earlier start
	{has: "AOT compil", stage: compiling},
	{has: "Compile and warming up model", stage: compiling},
	{has: "Initial profiling/warmup run took", stage: profiling},
	{has: "Available KV cache memory", stage: cache},
	{has: "for KV cache on node", stage: cache},
	{has: "KV cache size:", stage: cache},
	{has: "Graph capturing finished", stage: capturing, done: true},
	{has: "JIT kernel warmup starting", stage: warming},
	{has: "init engine (profile, create kv cache, warmup model) took", stage: serving},
	{has: "Supported tasks:", stage: serving},
	{has: "Starting vLLM server on", stage: serving},
	{has: "Application startup complete.", stage: serving, done: true},
}

// bar is a progress bar of tqdm, in its own format and in that of vLLM's loader of weights:
//
//	Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  45%|████▌     | 30/67 [00:05<00:04,  7.85it/s]
//	Loading safetensors checkpoint shards:  25% Completed | 1/4 [00:00<00:02,  1.32it/s]
var bar = regexp.MustCompile(`^(.{1,200}?): +(\d{1,3})%(?:\|| Completed \|)`)

// bars are the stages by how the name of a bar begins.
var bars = []struct{ name, stage string }{
	{"Loading", weights}, {"Multi-thread loading", weights},
	{"Fetching", downloading}, {"Downloading", downloading}, // "Fetching 12 files"
	{"Capturing", capturing}, {"Compiling", compiling},
	{"JIT kernel warmup", warming}, {"DeepGEMM warmup", warming},
}

// between is the least time between two reports of one stage. Bars of downloads move many times a second.
const between = 200 * time.Millisecond

// Scanner follows one start of a model server. It belongs to the goroutine that calls Line.
type Scanner struct {
	progressed func(unit.Progress)
	last       unit.Progress
	told       time.Time
}

// NewScanner returns one that calls progressed whenever the start gets on. A line that comes again, as of something that is tried again
// and again, is no progress.
func NewScanner(progressed func(unit.Progress)) *Scanner { return &Scanner{progressed: progressed} }

// Line takes a line, or a state of a progress bar, without escape sequences.
func (s *Scanner) Line(text string) {
	text = bare(text)
	p, ok := progress(text)
	if !ok {
		return
	}
	now := time.Now()
	if p.Stage == s.last.Stage {
		if p.Percent < 0 {
			p.Percent = s.last.Percent // another process says that it is as far
		}
		moved := p.Percent != s.last.Percent
		if !moved && (p.Message == s.last.Message || strings.Contains(text, "%")) || moved && p.Percent < 100 && now.Sub(s.told) < between {
			return
		}
	}
	s.last, s.told = p, now
	s.progressed(p)
}

func progress(text string) (unit.Progress, bool) {
	if strings.Contains(text, "%") {
		if parts := bar.FindStringSubmatch(text); parts != nil {
			percent, _ := strconv.Atoi(parts[2])
			return unit.Progress{Stage: barStage(parts[1]), Percent: float64(min(percent, 100)), Message: brief(text)}, true
		}
	}
	for _, step := range steps {
		if strings.Contains(text, step.has) {
			p := unit.Progress{Stage: step.stage, Percent: -1, Message: brief(text)}
			if step.done {
				p.Percent = 100
			}
			return p, true
		}
	}
	return unit.Progress{}, false
}

func barStage(name string) string {
	for _, b := range bars {
		if strings.HasPrefix(name, b.name) {
			return b.stage
		}
	}
	if strings.HasSuffix(name, ".safetensors") || strings.HasSuffix(name, ".bin") || strings.HasSuffix(name, ".json") {
		return downloading
	}
	return other
}

// longest is what is told of a line, in bytes: vLLM prints configurations of several kilobytes.
const longest = 300

// brief is a line for people.
func brief(line string) string { return clip.Text(strings.TrimSpace(line), longest) }

package argv

import (
	"maps"
	"slices"
)

// profiles are the starting points of the form with model. config overrides them flag by flag.
var profiles = map[string]map[string]string{
	// development: quick to start and modest, so that a desktop stays usable. Compiling CUDA graphs takes most of a start.
	"development": {"enforce-eager": "", "gpu-memory-utilization": "0.5", "max-model-len": "4096", "max-num-seqs": "16"},
	// production: vLLM's own defaults, which suit one model on a GPU of its own.
	"production": {},
	// high-throughput: more sequences and longer steps at the cost of each one's latency.
	"high-throughput": {"gpu-memory-utilization": "0.95", "max-num-batched-tokens": "16384", "max-num-seqs": "1024"},
}

// Removed are flags that vLLM had once, with what to do instead. An older one may still run here, so they are no faults.
var Removed = map[string]string{
	"disable-log-requests": "leave it out, requests are not logged unless enable-log-requests says so",
	"swap-space":           "leave it out, nothing has its place",
	"task":                 "use runner and convert",
}

// Flags are words of a command line by the flag that they begin with, which has no dashes here.
type Flags map[string]Line

// Profile is the flags of a profile.
func Profile(name string) Flags {
	flags := Flags{}
	for flag, value := range profiles[name] {
		flags[flag] = Flag(flag, value)
	}
	return flags
}

// Flag is a flag with a value, or alone when that is "".
func Flag(name, value string) Line {
	if value == "" {
		return Line{Plain("--" + name)}
	}
	return Line{Plain("--" + name), Plain(value)}
}

// Line is all of them, ordered by name.
func (f Flags) Line() (line Line) {
	for _, name := range slices.Sorted(maps.Keys(f)) {
		line = append(line, f[name]...)
	}
	return line
}

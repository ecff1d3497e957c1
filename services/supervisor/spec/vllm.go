package spec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/document"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec/argv"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec/fields"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec/strict"
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

// removed are flags that vLLM had once, with what to do instead. An older one may still run here, so they are no faults.
var removed = map[string]string{
	"disable-log-requests": "leave it out, requests are not logged unless enable-log-requests says so",
	"swap-space":           "leave it out, nothing has its place",
	"task":                 "use runner and convert",
}

// vllm plans the form with model: it builds the line "vllm serve MODEL --port N ...".
func (e *entry) vllm() {
	name := strict.Word{Value: e.Text("model")}
	if n := e.Fields["model"]; n.Kind == document.Text {
		name.Shown = n.Text
	}
	if strings.HasPrefix(name.Value, "-") {
		e.Add(e.At("model"), "must not begin with -")
	}
	profile := e.Choice("profile")
	flags := map[string]argv.Line{}
	for flag, value := range profiles[profile] {
		flags[flag] = flagArgs(flag, value)
	}
	e.config(flags)
	port, ok := e.vllmPort()
	env := e.environment()
	if !ok {
		return
	}
	line := argv.Line{argv.Plain("vllm"), argv.Plain("serve"), name}.With("--port", strconv.Itoa(port))
	if _, given := flags["host"]; !given && (e.base.Host == "" || strict.Loopback(e.base.Host)) {
		line = line.With("--host", "127.0.0.1") // vLLM itself would listen on every interface
	}
	for _, flag := range sortedKeys(flags) {
		line = append(line, flags[flag]...)
	}
	e.processes(line, env)
}

func sortedKeys(flags map[string]argv.Line) []string {
	names := make([]string, 0, len(flags))
	for name := range flags {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// flagArgs is a flag with a value, or alone.
func flagArgs(flag, value string) argv.Line {
	if value == "" {
		return argv.Line{argv.Plain("--" + flag)}
	}
	return argv.Line{argv.Plain("--" + flag), argv.Plain(value)}
}

// vllmPort is port, which may also be said in base_url.
func (e *entry) vllmPort() (int, bool) {
	port := e.Whole("port")
	switch {
	case port == 0 && e.base.Host != "":
		return e.base.Port, true
	case port == 0 && !e.Has("port"):
		e.Add(e.At("port"), "missing; give the port to serve the model on, such as 8001")
	case port != 0 && e.base.Host != "" && e.base.Port != port:
		e.Add(strict.Join(e.At("endpoints"), "base_url"), "port %d contradicts port %d", e.base.Port, port)
		return 0, false
	}
	return port, port != 0
}

// config reads vLLM flags without their dashes: true is the flag alone, false its --no- form, a list several values.
func (e *entry) config(flags map[string]argv.Line) {
	config := e.Child("config")
	for _, name := range config.Names {
		at := config.At(name)
		flag := strings.ReplaceAll(strings.TrimLeft(name, "-"), "_", "-")
		if field, ok := fields.Elsewhere[flag]; ok {
			e.Add(at, "belongs into the model's field %q", field)
			continue
		}
		if instead, ok := removed[flag]; ok {
			e.Warnings = append(e.Warnings, fmt.Sprintf("%s: vLLM 0.32 has no --%s any more and does not start with it; %s.", at, flag, instead))
		}
		switch n := config.Fields[name]; n.Kind {
		case document.Boolean:
			if n.Text == "false" {
				flags[flag] = argv.Line{argv.Plain("--no-" + flag)}
			} else {
				flags[flag] = argv.Line{argv.Plain("--" + flag)}
			}
		case document.List:
			flags[flag] = append(argv.Line{argv.Plain("--" + flag)}, config.Words(name)...)
		default:
			flags[flag] = argv.Line{argv.Plain("--" + flag), e.Scalar(at, n)}
		}
	}
}

package spec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/document"
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

// elsewhere are flags that the file says in fields of their own.
var elsewhere = map[string]string{
	"port": "port", "model": "model", "served-model-name": "served_name", "api-key": "api_key",
}

// removed are flags that vLLM had once, with what to do instead. An older one may still run here, so they are no faults.
var removed = map[string]string{
	"disable-log-requests": "leave it out, requests are not logged unless enable-log-requests says so",
	"swap-space":           "leave it out, nothing has its place",
	"task":                 "use runner and convert",
}

// vllm plans the form with model: it builds the line "vllm serve MODEL --port N ...".
func (e *entry) vllm() {
	name := word{e.text("model"), ""}
	if n := e.fields["model"]; n.Kind == document.Text {
		name.shown = n.Text
	}
	if strings.HasPrefix(name.value, "-") {
		e.add(e.at("model"), "must not begin with -")
	}
	profile := e.choice("profile")
	flags := map[string]args{}
	for flag, value := range profiles[profile] {
		flags[flag] = flagArgs(flag, value)
	}
	e.config(flags)
	port, ok := e.vllmPort()
	env := e.environment()
	if !ok {
		return
	}
	line := args{plain("vllm"), plain("serve"), name}.with("--port", strconv.Itoa(port))
	if _, given := flags["host"]; !given && (e.base.host == "" || loopback(e.base.host)) {
		line = line.with("--host", "127.0.0.1") // vLLM itself would listen on every interface
	}
	for _, flag := range sortedKeys(flags) {
		line = append(line, flags[flag]...)
	}
	e.processes(line, env)
}

func loopback(host string) bool { return host == "127.0.0.1" || strings.EqualFold(host, "localhost") }

func sortedKeys(flags map[string]args) []string {
	names := make([]string, 0, len(flags))
	for name := range flags {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// flagArgs is a flag with a value, or alone.
func flagArgs(flag, value string) args {
	if value == "" {
		return args{plain("--" + flag)}
	}
	return args{plain("--" + flag), plain(value)}
}

// vllmPort is port, which may also be said in base_url.
func (e *entry) vllmPort() (int, bool) {
	port := e.whole("port")
	switch {
	case port == 0 && e.base.host != "":
		return e.base.port, true
	case port == 0 && !e.has("port"):
		e.add(e.at("port"), "missing; give the port to serve the model on, such as 8001")
	case port != 0 && e.base.host != "" && e.base.port != port:
		e.add(join(e.at("endpoints"), "base_url"), "port %d contradicts port %d", e.base.port, port)
		return 0, false
	}
	return port, port != 0
}

// config reads vLLM flags without their dashes: true is the flag alone, false its --no- form, a list several values.
func (e *entry) config(flags map[string]args) {
	config := e.child("config")
	for _, name := range config.names {
		at := config.at(name)
		flag := strings.ReplaceAll(strings.TrimLeft(name, "-"), "_", "-")
		if field, ok := elsewhere[flag]; ok {
			e.add(at, "belongs into the model's field %q", field)
			continue
		}
		if instead, ok := removed[flag]; ok {
			e.warnings = append(e.warnings, fmt.Sprintf("%s: vLLM 0.32 has no --%s any more and does not start with it; %s.", at, flag, instead))
		}
		switch n := config.fields[name]; n.Kind {
		case document.Boolean:
			if n.Text == "false" {
				flags[flag] = args{plain("--no-" + flag)}
			} else {
				flags[flag] = args{plain("--" + flag)}
			}
		case document.List:
			flags[flag] = append(args{plain("--" + flag)}, config.words(name)...)
		default:
			flags[flag] = args{plain("--" + flag), e.scalar(at, n)}
		}
	}
}

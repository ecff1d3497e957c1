package read

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/document"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/argv"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/fields"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// vllm plans the form with model: it builds the line "vllm serve MODEL --port N ...".
func (e *entry) vllm() {
	name := strict.Word{Value: e.Text("model")}
	if n := e.Fields["model"]; n.Kind == document.Text {
		name.Shown = n.Text
	}
	if strings.HasPrefix(name.Value, "-") {
		e.Add(e.At("model"), "must not begin with -")
	}
	flags := argv.Profile(e.Choice("profile"))
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
	e.processes(append(line, flags.Line()...), env)
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
func (e *entry) config(flags argv.Flags) {
	config := e.Child("config")
	for _, name := range config.Names {
		at := config.At(name)
		flag := strings.ReplaceAll(strings.TrimLeft(name, "-"), "_", "-")
		if field, ok := fields.Elsewhere[flag]; ok {
			e.Add(at, "belongs into the model's field %q", field)
			continue
		}
		if instead, ok := argv.Removed[flag]; ok {
			e.Warnings = append(e.Warnings, fmt.Sprintf("%s: vLLM 0.32 has no --%s any more and does not start with it; %s.", at, flag, instead))
		}
		switch n := config.Fields[name]; n.Kind {
		case document.Boolean:
			if n.Text == "false" {
				flags[flag] = argv.Flag("no-"+flag, "")
			} else {
				flags[flag] = argv.Flag(flag, "")
			}
		case document.List:
			flags[flag] = append(argv.Flag(flag, ""), config.Words(name)...)
		default:
			flags[flag] = argv.Line{argv.Plain("--" + flag), e.Scalar(at, n)}
		}
	}
}

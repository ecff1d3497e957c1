package read

import (
	"path"
	"strconv"

	"github.com/fluidmcp/fluidmcp/internal/document"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/argv"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

const defaultPort = 8000 // of vLLM

// command plans the form with command and args.
func (e *entry) command() {
	command := strict.Word{Value: e.Text("command")}
	if n := e.Fields["command"]; n.Kind == document.Text {
		command.Shown = n.Text
	}
	line := argv.Line(e.Words("args"))
	env := e.environment()
	if argv.Python(command.Value) && len(line) > 0 && path.Base(line[0].Value) == "mock_vllm_server.py" {
		command, line = argv.Plain(argv.MockCommand), line[1:]
	}
	if path.Base(command.Value) == argv.MockCommand {
		line = line.ForMock(env["MODEL_NAME"].Reveal())
	}
	e.processes(append(argv.Line{command}, line...), env)
}

// processes plans the instances of a command, the program first.
func (e *entry) processes(line argv.Line, env manifest.Env) {
	known := line.VLLM()
	if known {
		line = e.identity(line, env)
	}
	if e.model.Demand.Sleep {
		line = e.sleepable(line, env, known)
	}
	port, ok := e.processPort(line, known)
	replicas := e.Whole("replicas")
	devices := e.devices(replicas, env)
	if !ok {
		return
	}
	_, settable := line.Find("--port")
	switch {
	case settable:
	case known:
		line = line.With("--port", strconv.Itoa(port))
	case replicas > 1:
		e.Add(e.At("replicas"), "more than one needs --port in args, so that each replica can be given its own")
		return
	}
	if port+replicas-1 > 65535 {
		e.Add(e.At("replicas"), "%d from port %d on go beyond port 65535", replicas, port)
		return
	}
	line.Secrets(func(_ int, _, value string) { e.Secrets = append(e.Secrets, value) })
	e.surge(path.Base(line[0].Value) == argv.MockCommand && replicas == 1, settable || known)
	dir := e.Text("cwd")
	gpu, err := line.GPU()
	if err != nil {
		e.Add(e.Path, "%s", err)
	}
	for i := range replicas {
		own := line.Replaced("--port", strconv.Itoa(port+i))
		at := e.base.WithPort(port + i)
		if at.Host == "" {
			at.Scheme, at.Host = "http", "127.0.0.1"
		}
		takes := gpu
		if devices != nil {
			takes = gpu.On(devices[i])
		}
		server := manifest.Instance{
			ID: e.model.ID + "-" + strconv.Itoa(i), Dir: dir, Env: with(env, devices, i),
			URL: at.String(), Dial: at.Dial(), Port: port + i, Weight: 1, Listens: known, GPU: takes,
		}
		server.Run(own.Redacted())
		e.model.Instances = append(e.model.Instances, server)
	}
}

// surge reads whether a restart may start one more server. fits is what holds without a word; settable tells whether the server
// can be given a port of its own.
func (e *entry) surge(fits, settable bool) {
	o := e.Child("rollout")
	e.model.Surge = fits && settable
	if o.Has("surge") {
		e.model.Surge = o.Yes("surge")
		if e.model.Surge && !settable {
			e.Add(o.At("surge"), "needs --port in args, so that one more server can be given its own")
		}
	}
}

// sleepable has vLLM offer its sleep mode, which takes a flag, and its routes, which are among those for developers.
func (e *entry) sleepable(line argv.Line, env manifest.Env, known bool) argv.Line {
	if !known {
		e.Add(e.At("sleep"), "needs a command with vLLM's flags: vllm serve or mockvllm")
		return line
	}
	if _, given := line.Find("--enable-sleep-mode"); !given {
		line = append(line[:len(line):len(line)], argv.Plain("--enable-sleep-mode"))
	}
	if _, given := env[devMode]; !given {
		env[devMode] = "1"
	}
	return line
}

// devMode is the variable by which vLLM offers /sleep and /wake_up.
const devMode = "VLLM_SERVER_DEV_MODE"

// identity brings the name and the key that the file knows and those that the server will use together.
func (e *entry) identity(line argv.Line, env manifest.Env) argv.Line {
	m := &e.model
	served := line.Served()
	_, explicit := line.Find("--served-model-name")
	switch {
	case m.ServedName == "" || m.ServedName == served:
		m.ServedName = served
	case explicit:
		e.Add(e.At("served_name"), "%q contradicts --served-model-name %q in args", m.ServedName, served)
	default:
		line = line.With("--served-model-name", m.ServedName)
	}
	key, keyed := line.Find("--api-key")
	switch {
	case !keyed && m.APIKey != "":
		env["VLLM_API_KEY"] = m.APIKey // not as a flag, which every user of the machine could read
	case keyed && m.APIKey != "" && manifest.Secret(key.Value) != m.APIKey:
		e.Add(e.At("api_key"), "contradicts --api-key in args; keep one of them")
	case keyed:
		m.APIKey = manifest.Secret(key.Value)
	case env["VLLM_API_KEY"] != "":
		m.APIKey = env["VLLM_API_KEY"]
	}
	return line
}

// processPort finds the port that a command will listen on: --port, else that of base_url, else vLLM's default.
func (e *entry) processPort(line argv.Line, known bool) (int, bool) {
	flag, given := line.Find("--port")
	if !given {
		switch {
		case e.base.Host != "":
			return e.base.Port, true
		case known:
			return defaultPort, true
		case !e.Has("endpoints"):
			e.Add(e.At("endpoints"), `missing; FluidMCP cannot tell where this command will answer, give {"base_url": "http://localhost:8001/v1"}`)
		}
		return 0, false
	}
	port, err := strconv.Atoi(flag.Value)
	if err != nil || port < 1 || port > 65535 {
		e.Add(e.At("args"), "--port needs a number from 1 to 65535")
		return 0, false
	}
	if e.base.Host != "" && e.base.Port != port {
		e.Add(strict.Join(e.At("endpoints"), "base_url"), "port %d contradicts --port %d in args", e.base.Port, port)
		return 0, false
	}
	return port, true
}

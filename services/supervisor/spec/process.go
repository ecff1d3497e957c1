package spec

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

const (
	mockCommand = "mockvllm"
	mockModel   = "mock-model" // what mock_vllm_server.py calls its model when MODEL_NAME does not say
	defaultPort = 8000         // of vLLM
	apiServer   = "vllm.entrypoints.openai.api_server"
)

var python = regexp.MustCompile(`^python[0-9.]*$`)

// command plans the form with command and args.
func (e *entry) command() {
	command := word{e.text("command"), ""}
	if n := e.fields["command"]; n.Kind == document.Text {
		command.shown = n.Text
	}
	line := args(e.words("args"))
	env := e.environment()
	if python.MatchString(path.Base(command.value)) && len(line) > 0 && path.Base(line[0].value) == "mock_vllm_server.py" {
		command, line = plain(mockCommand), line[1:]
	}
	if path.Base(command.value) == mockCommand {
		line = mockLine(line, env["MODEL_NAME"].Reveal())
	}
	e.processes(append(args{command}, line...), env)
}

// mockLine completes a mockvllm command line to "serve MODEL ...". MODEL_NAME, from which mock_vllm_server.py takes its
// name, is the served name also where the line names another model.
func mockLine(line args, modelName string) args {
	name := modelName
	if name == "" {
		name = mockModel
	}
	if len(line) == 0 || strings.HasPrefix(line[0].value, "-") {
		line = append(args{plain("serve")}, line...)
	}
	if line[0].value != "serve" {
		return line
	}
	if _, byFlag := line.find("--model"); !byFlag && (len(line) == 1 || strings.HasPrefix(line[1].value, "-")) {
		line = append(args{line[0], plain(name)}, line[1:]...)
	}
	if _, named := line.find("--served-model-name"); !named && modelName != "" && servedBy(line) != modelName {
		line = line.with("--served-model-name", modelName)
	}
	return line
}

// vllmLike tells whether a command, the program first, takes vLLM's flags.
func vllmLike(line args) bool {
	switch base := path.Base(line[0].value); {
	case base == mockCommand, base == "vllm":
		return len(line) > 1 && line[1].value == "serve"
	case python.MatchString(base):
		return len(line) > 2 && line[1].value == "-m" && line[2].value == apiServer
	}
	return false
}

// mocked tells a mock's command line.
func mocked(line args) bool { return path.Base(line[0].value) == mockCommand }

// servedBy is the name under which vLLM's flags serve a model: the first of --served-model-name, else the model; "" when
// the line has neither.
func servedBy(line args) string {
	if name, ok := line.find("--served-model-name"); ok {
		return name.value
	}
	return modelOf(line)
}

// modelOf is the model that vLLM's flags load, or "".
func modelOf(line args) string {
	if name, ok := line.find("--model"); ok {
		return name.value
	}
	for i, w := range line {
		if w.value == "serve" && i+1 < len(line) && !strings.HasPrefix(line[i+1].value, "-") {
			return line[i+1].value
		}
	}
	return ""
}

// processes plans the instances of a command, the program first.
func (e *entry) processes(line args, env Env) {
	known := vllmLike(line)
	if known {
		line = e.identity(line, env)
	}
	if e.model.Demand.Sleep {
		line = e.sleepable(line, env, known)
	}
	port, ok := e.processPort(line, known)
	replicas := e.whole("replicas")
	devices := e.devices(replicas, env)
	if !ok {
		return
	}
	_, settable := line.find("--port")
	switch {
	case settable:
	case known:
		line = line.with("--port", strconv.Itoa(port))
	case replicas > 1:
		e.add(e.at("replicas"), "more than one needs --port in args, so that each replica can be given its own")
		return
	}
	if port+replicas-1 > 65535 {
		e.add(e.at("replicas"), "%d from port %d on go beyond port 65535", replicas, port)
		return
	}
	line.secrets(func(_ int, _, value string) { e.secrets = append(e.secrets, Secret(value)) })
	e.surge(path.Base(line[0].value) == mockCommand && replicas == 1, settable || known)
	dir, gpu := e.text("cwd"), e.gpu(line)
	for i := range replicas {
		own := line.replaced("--port", strconv.Itoa(port+i))
		at := e.base.withPort(port + i)
		if at.host == "" {
			at.scheme, at.host = "http", "127.0.0.1"
		}
		e.model.Instances = append(e.model.Instances, Instance{
			ID: e.model.ID + "-" + strconv.Itoa(i), Argv: own.values(), shown: own.shown(), Dir: dir, Env: env.with(devices, i),
			URL: at.String(), Dial: at.dial(), Port: port + i, Weight: 1, Listens: known, GPU: gpu.on(devices, i),
		})
	}
}

// sleepable has vLLM offer its sleep mode, which takes a flag, and its routes, which are among those for developers.
func (e *entry) sleepable(line args, env Env, known bool) args {
	if !known {
		e.add(e.at("sleep"), "needs a command with vLLM's flags: vllm serve or mockvllm")
		return line
	}
	if _, given := line.find("--enable-sleep-mode"); !given {
		line = append(line[:len(line):len(line)], plain("--enable-sleep-mode"))
	}
	if _, given := env[devMode]; !given {
		env[devMode] = "1"
	}
	return line
}

// devMode is the variable by which vLLM offers /sleep and /wake_up.
const devMode = "VLLM_SERVER_DEV_MODE"

// identity brings the name and the key that the file knows and those that the server will use together.
func (e *entry) identity(line args, env Env) args {
	m := &e.model
	served := servedBy(line)
	_, explicit := line.find("--served-model-name")
	switch {
	case m.ServedName == "" || m.ServedName == served:
		m.ServedName = served
	case explicit:
		e.add(e.at("served_name"), "%q contradicts --served-model-name %q in args", m.ServedName, served)
	default:
		line = line.with("--served-model-name", m.ServedName)
	}
	key, keyed := line.find("--api-key")
	switch {
	case !keyed && m.APIKey != "":
		env["VLLM_API_KEY"] = m.APIKey // not as a flag, which every user of the machine could read
	case keyed && m.APIKey != "" && Secret(key.value) != m.APIKey:
		e.add(e.at("api_key"), "contradicts --api-key in args; keep one of them")
	case keyed:
		m.APIKey = Secret(key.value)
	case env["VLLM_API_KEY"] != "":
		m.APIKey = env["VLLM_API_KEY"]
	}
	return line
}

// processPort finds the port that a command will listen on: --port, else that of base_url, else vLLM's default.
func (e *entry) processPort(line args, known bool) (int, bool) {
	flag, given := line.find("--port")
	if !given {
		switch {
		case e.base.host != "":
			return e.base.port, true
		case known:
			return defaultPort, true
		case !e.has("endpoints"):
			e.add(e.at("endpoints"), `missing; FluidMCP cannot tell where this command will answer, give {"base_url": "http://localhost:8001/v1"}`)
		}
		return 0, false
	}
	port, err := strconv.Atoi(flag.value)
	if err != nil || port < 1 || port > 65535 {
		e.add(e.at("args"), "--port needs a number from 1 to 65535")
		return 0, false
	}
	if e.base.host != "" && e.base.port != port {
		e.add(join(e.at("endpoints"), "base_url"), "port %d contradicts --port %d in args", e.base.port, port)
		return 0, false
	}
	return port, true
}

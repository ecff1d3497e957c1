package argv

import (
	"path"
	"regexp"
	"strings"
)

// Names of programs and modules.
const (
	MockCommand = "mockvllm"                           // the program that has the place of vLLM
	APIServer   = "vllm.entrypoints.openai.api_server" // the module of vLLM that is run as vllm serve is

	mockModel = "mock-model" // what mock_vllm_server.py calls its model when MODEL_NAME does not say
)

var python = regexp.MustCompile(`^python[0-9.]*$`)

// Python tells whether a program is an interpreter of Python.
func Python(program string) bool { return python.MatchString(path.Base(program)) }

// ForMock completes a mockvllm command line to "serve MODEL ...". MODEL_NAME, from which mock_vllm_server.py takes its
// name, is the served name also where the line names another model.
func (l Line) ForMock(modelName string) Line {
	name := modelName
	if name == "" {
		name = mockModel
	}
	if len(l) == 0 || strings.HasPrefix(l[0].Value, "-") {
		l = append(Line{Plain("serve")}, l...)
	}
	if l[0].Value != "serve" {
		return l
	}
	if _, byFlag := l.Find("--model"); !byFlag && (len(l) == 1 || strings.HasPrefix(l[1].Value, "-")) {
		l = append(Line{l[0], Plain(name)}, l[1:]...)
	}
	if _, named := l.Find("--served-model-name"); !named && modelName != "" && l.Served() != modelName {
		l = l.With("--served-model-name", modelName)
	}
	return l
}

// VLLM tells whether a command, the program first, takes vLLM's flags.
func (l Line) VLLM() bool {
	switch base := path.Base(l[0].Value); {
	case base == MockCommand, base == "vllm":
		return len(l) > 1 && l[1].Value == "serve"
	case Python(base):
		return len(l) > 2 && l[1].Value == "-m" && l[2].Value == APIServer
	}
	return false
}

// Mock tells a mock's command line.
func (l Line) Mock() bool { return path.Base(l[0].Value) == MockCommand }

// Served is the name under which vLLM's flags serve a model: the first of --served-model-name, else the model; "" when
// the line has neither.
func (l Line) Served() string {
	if name, ok := l.Find("--served-model-name"); ok {
		return name.Value
	}
	return l.Model()
}

// Model is the model that vLLM's flags load, or "".
func (l Line) Model() string {
	if name, ok := l.Find("--model"); ok {
		return name.Value
	}
	for i, w := range l {
		if w.Value == "serve" && i+1 < len(l) && !strings.HasPrefix(l[i+1].Value, "-") {
			return l[i+1].Value
		}
	}
	return ""
}

package spec

import "slices"

// Field describes a field of the models file. The parser takes names, words and bounds from here, Schema and the reference
// in docs/configuration.md take everything, so that they cannot disagree.
type Field struct {
	Name    string
	Type    Type
	Forms   []string // of forms, those that may have it; nil: all
	Needed  bool     // has to be there when what holds it is there
	Doc     string   // what it means
	Default any      // what its absence means, as the file would say it
	Absent  string   // the same in words, where the file could not say it
	Choices []string // of typeChoice
	Min     int      // of typeWhole, as Max
	Max     int
	Example any
	Fields  []Field // of typeObject
}

// Type is what a field takes. ${NAME} in a string is taken from the environment, except in a choice.
type Type string

const (
	typeText     Type = "string"
	typeURL      Type = "URL"
	typeChoice   Type = "one of"
	typeWhole    Type = "whole number"
	typeDuration Type = "duration"    // a number of seconds, or a string such as "1m30s"
	typeWords    Type = "list"        // of strings and numbers
	typeIDs      Type = "list of ids" // that clients may use
	typeObject   Type = "object"
	typeEnv      Type = "variables" // an object of strings and numbers by the name of an environment variable
	typeFlags    Type = "flags"     // an object of vLLM's flags and their values
)

// The fields by which a model can be given, beside endpoints alone.
const (
	byCommand    = "command"
	byModel      = "model"
	byContainer  = "container"
	byDeployment = "deployment"
)

// Values of Field.Forms.
var (
	processes   = []string{byCommand, byModel}
	commandOnly = []string{byCommand}
	modelOnly   = []string{byModel}
)

// allowed tells whether a model may have the field that is given by another, or "" for endpoints alone.
func (f Field) allowed(by string) bool { return f.Forms == nil || slices.Contains(f.Forms, by) }

// Fields lists the fields of one entry of llmModels.
func Fields() []Field { return modelFields }

var modelFields = []Field{
	{Name: byCommand, Type: typeText, Forms: commandOnly, Example: "mockvllm",
		Doc: "The program to run: a path, or a name that is looked up in PATH. mockvllm is always there with the fluidmcp command."},
	{Name: "args", Type: typeWords, Forms: commandOnly, Example: []any{"serve", "mock-model", "--port", 8001},
		Doc: "Arguments of the command, each a string of its own. What mockvllm and vllm serve lack, that is the model and " +
			"--port, is filled in. ${NAME} and secrets are hidden where the command is shown."},
	{Name: byModel, Type: typeText, Forms: modelOnly, Example: "meta-llama/Llama-3.1-8B-Instruct",
		Doc: "A model for vllm serve: its name on Hugging Face, or a folder. FluidMCP writes the command line, and has vLLM " +
			"listen on 127.0.0.1 only unless config or endpoints name another host."},
	{Name: "port", Type: typeWhole, Min: 1, Max: 65535, Forms: modelOnly, Example: 8001, Absent: "the port of endpoints",
		Doc: "The TCP port that vLLM serves the model on."},
	{Name: "profile", Type: typeChoice, Choices: []string{"production", "development", "high-throughput"}, Forms: modelOnly,
		Default: "production", Example: "development",
		Doc: "A set of vLLM flags to begin with; config overrides each of them."},
	{Name: "config", Type: typeFlags, Forms: modelOnly, Example: map[string]any{"max-model-len": 8192, "enable-prefix-caching": true},
		Doc: "Any flag of vllm serve without its dashes: true is the flag alone, false its --no- form, a list is several values."},
	{Name: "env", Type: typeEnv, Forms: processes, Example: map[string]any{"CUDA_VISIBLE_DEVICES": "0", "HF_HOME": "${HOME}/models"},
		Doc: "Environment variables that the process gets in addition to those of FluidMCP. Their values are never shown."},
	{Name: "cwd", Type: typeText, Forms: processes, Example: "/srv/models", Absent: "the folder that FluidMCP runs in",
		Doc: "The folder that the process starts in."},
	{Name: "replicas", Type: typeWhole, Min: 1, Max: 256, Forms: processes, Default: 1, Example: 2,
		Doc: "How many processes serve the model. Each next one gets the next port; requests are spread over them."},
	{Name: byContainer, Type: typeObject, Forms: []string{byContainer}, Example: map[string]any{"name": "fluidmcp-model"},
		Doc:    "A container that exists already. Such an entry is checked, but not run yet; use endpoints alone meanwhile.",
		Fields: []Field{{Name: "name", Type: typeText, Needed: true, Doc: "The container's name.", Example: "fluidmcp-model"}}},
	{Name: byDeployment, Type: typeObject, Forms: []string{byDeployment}, Example: map[string]any{"name": "llama", "namespace": "models"},
		Doc: "A Kubernetes Deployment that exists already. Such an entry is checked, but not run yet; use endpoints alone meanwhile.",
		Fields: []Field{
			{Name: "name", Type: typeText, Needed: true, Doc: "The Deployment's name.", Example: "llama"},
			{Name: "namespace", Type: typeText, Doc: "Its namespace.", Absent: "that of the credentials", Example: "models"},
		}},
	{Name: "endpoints", Type: typeObject, Example: map[string]any{"base_url": "http://localhost:8001/v1"},
		Absent: "127.0.0.1 and the port of the command line",
		Doc:    "Where the model answers. Alone, it makes an entry for a server that somebody else runs, which is watched but never started or stopped.",
		Fields: []Field{{Name: "base_url", Type: typeURL, Needed: true, Example: "http://localhost:8001/v1",
			Doc: "The address of the model server, http or https, with or without /v1 at its end."}}},
	{Name: "served_name", Type: typeText, Example: "mock-model",
		Absent: "what the command line says; without one, requests are passed on with the name that the client gave",
		Doc: "What the server itself calls the model. The gateway puts it into each request, and the model is ready once the " +
			"server lists it. Clients may use it too, unless two models share it."},
	{Name: "aliases", Type: typeIDs, Example: []any{"gpt-4o-mini"},
		Doc: "Further ids that clients may use for the model. No two models may share one."},
	{Name: "api_key", Type: typeText, Example: "${PARTNER_KEY}",
		Absent: "the --api-key or VLLM_API_KEY of the process, if any",
		Doc:    "The key that the server asks for. The gateway sends it; clients never see it. A process with vLLM's flags is given it as VLLM_API_KEY."},
	{Name: "restart_policy", Type: typeChoice, Choices: []string{string(OnFailure), string(Always), string(Never)}, Default: string(OnFailure), Example: "never",
		Doc: "What follows when the process ends unasked or stops answering: on-failure and always both start it anew, because " +
			"such an end is a failure whatever the exit code; never leaves it down."},
	{Name: "start", Type: typeChoice, Choices: []string{"auto"}, Default: "auto", Example: "auto",
		Doc: "When the process is started: auto is at once, together with FluidMCP. There is no other way yet."},
	{Name: "timeouts", Type: typeObject, Example: map[string]any{"first_byte": "2m", "drain": 60},
		Doc: "How long this model may take; what is left out comes from the settings of gateway and supervisor.",
		Fields: []Field{
			{Name: "first_byte", Type: typeDuration, Absent: "GATEWAY_FIRST_BYTE_TIMEOUT", Example: "2m",
				Doc: "From sending a request to the answer, or to a stream's first event. Then the client gets a 504."},
			{Name: "idle", Type: typeDuration, Absent: "GATEWAY_IDLE_TIMEOUT", Example: 30,
				Doc: "Between two pieces of an answer. Then a stream is ended with an error event."},
			{Name: "total", Type: typeDuration, Absent: "GATEWAY_TOTAL_TIMEOUT", Example: "10m",
				Doc: "Of a whole answer."},
			{Name: "start", Type: typeDuration, Absent: "SUPERVISOR_START_TIMEOUT", Example: "30m",
				Doc: "From the start of the process to its being ready: download, load, compile. Then it is ended and started anew."},
			{Name: "drain", Type: typeDuration, Absent: "SUPERVISOR_DRAIN_TIMEOUT", Example: 60,
				Doc: "For requests in flight before the process is ended by stop, restart or Ctrl-C."},
		}},
}

// fileFields are the fields at the top of the file.
var fileFields = []Field{
	{Name: "$schema", Type: typeText, Doc: "Where editors find the JSON Schema of this file; FluidMCP does not read it.", Example: "./models.schema.json"},
	{Name: "llmModels", Type: typeObject, Needed: true,
		Doc: "The models by id. An id is up to 200 letters, digits and . _ : @ + - beginning with a letter or digit, or several such parts with / between; not v1."},
}

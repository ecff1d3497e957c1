package spec

import (
	"slices"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// Field describes a field of the models file. The parser takes names, words and bounds from here, Schema and the reference
// in docs/configuration.md take everything, so that they cannot disagree.
type Field struct {
	Name    string
	Type    Type
	Forms   []string // of forms, those that may have it; nil: all
	Remote  bool     // it may be changed over HTTP, with all in it: it names no program, no address, no secret, and nothing of the machine
	Needed  bool     // has to be there when what holds it is there
	Demand  bool     // only of models with start: on_demand
	OneOf   bool     // of typeObject: it has exactly one of its Fields
	Doc     string   // what it means
	Default any      // what its absence means, as the file would say it
	Absent  string   // the same in words, where the file could not say it
	Choices []string // of typeChoice
	Min     int      // of typeWhole, as Max
	Max     int
	Example any
	Fields  []Field // of typeObject and of each item of typeObjects
}

// Type is what a field takes. ${NAME} in a string is taken from the environment, except in a choice.
type Type string

const (
	typeText     Type = "string"
	typeURL      Type = "URL"
	typeChoice   Type = "one of"
	typeYesNo    Type = "true or false"
	typeWhole    Type = "whole number"
	typePercent  Type = "percentage" // a number over 0, at most 100
	typeDuration Type = "duration"   // a number of seconds, or a string such as "1m30s"
	typeHeader   Type = "header name"
	typeID       Type = "id"          // of a model
	typeWords    Type = "list"        // of strings and numbers
	typeIDs      Type = "list of ids" // of models
	typeObject   Type = "object"
	typeObjects  Type = "list of objects" // at least one
	typeEnv      Type = "variables"       // an object of strings and numbers by the name of an environment variable
	typeFlags    Type = "flags"           // an object of vLLM's flags and their values
)

// The fields by which a model can be given; byEndpoints is for endpoints alone.
const (
	byCommand    = "command"
	byModel      = "model"
	byContainer  = "container"
	byDeployment = "deployment"
	byEndpoints  = "endpoints"
)

// Values of Field.Forms.
var (
	processes   = []string{byCommand, byModel}
	commandOnly = []string{byCommand}
	modelOnly   = []string{byModel}
	started     = []string{byCommand, byModel, byContainer} // whose servers are started here

	containerOnly = []string{byContainer}
	watched       = []string{byEndpoints, byContainer}
)

// allowed tells whether a model that is given by another field may have this one.
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
	{Name: "env", Type: typeEnv, Forms: processes, Example: map[string]any{"HF_HOME": "${HOME}/models"},
		Doc: "Environment variables that the process gets beside those that it inherits, which are few. Their values are never shown."},
	{Name: "cwd", Type: typeText, Forms: processes, Example: "/srv/models", Absent: "the folder that FluidMCP runs in",
		Doc: "The folder that the process starts in."},
	{Name: "devices", Type: typeWords, Forms: processes, Example: []any{"0,1"}, Absent: "CUDA_VISIBLE_DEVICES of env, else of FluidMCP's own environment",
		Doc: "The GPUs of the process, as CUDA_VISIBLE_DEVICES has them: an item for each replica, or one for all of them."},
	{Name: "replicas", Type: typeWhole, Min: 1, Max: 256, Forms: processes, Remote: true, Default: 1, Example: 2,
		Doc: "How many processes serve the model. Each next one gets the next port; requests are spread over them."},
	{Name: byContainer, Type: typeObject, OneOf: true, Forms: containerOnly, Example: map[string]any{"name": "fluidmcp-model"},
		Doc: "A container that exists already, as compose creates it, and has the label com.fluidmcp.model with the model's id. FluidMCP starts, stops and restarts it.",
		Fields: []Field{
			{Name: "name", Type: typeText, Absent: "names in its place", Doc: "The container's name.", Example: "fluidmcp-model"},
			{Name: "names", Type: typeWords, Absent: "name in its place", Example: []any{"fluidmcp-model"},
				Doc: "Several containers that answer for the model, each at its address in endpoints.servers, in the same order."},
		}},
	{Name: byDeployment, Type: typeObject, Forms: []string{byDeployment}, Example: map[string]any{"name": "llama", "namespace": "models"},
		Doc: "A Kubernetes Deployment that exists already. Such an entry is checked, but not run yet; use endpoints alone meanwhile.",
		Fields: []Field{
			{Name: "name", Type: typeText, Needed: true, Doc: "The Deployment's name.", Example: "llama"},
			{Name: "namespace", Type: typeText, Doc: "Its namespace.", Absent: "that of the credentials", Example: "models"},
		}},
	{Name: byEndpoints, Type: typeObject, OneOf: true, Example: map[string]any{"base_url": "http://localhost:8001/v1"},
		Absent: "127.0.0.1 and the port of the command line",
		Doc:    "Where the model answers. Alone, it makes an entry for a server that somebody else runs, which is watched but never started or stopped.",
		Fields: []Field{
			{Name: "base_url", Type: typeURL, Absent: "servers in its place", Example: "http://localhost:8001/v1",
				Doc: "The address of the model server, http or https, with or without /v1 at its end."},
			{Name: "servers", Type: typeObjects, Forms: watched, Absent: "base_url in its place",
				Example: []any{map[string]any{"base_url": "http://gpu-1:8000/v1"}, map[string]any{"base_url": "http://gpu-2:8000/v1", "weight": 3}},
				Doc:     "Several servers that answer for the model, all alike; only where endpoints stands alone or beside container. Requests are spread over them.",
				Fields: []Field{
					{Name: "base_url", Type: typeURL, Needed: true, Doc: "The address of the server.", Example: "http://gpu-1:8000/v1"},
					{Name: "weight", Type: typeWhole, Min: 1, Max: 1000, Default: 1, Example: 3,
						Doc: "Its share of the traffic in proportion to the others', when the policy is weighted."},
				}},
		}},
	{Name: "served_name", Type: typeText, Example: "mock-model",
		Absent: "what the command line says; without one, requests are passed on with the name that the client gave",
		Doc: "What the server itself calls the model. The gateway puts it into each request, and the model is ready once the " +
			"server lists it. Clients may use it too, unless two models share it."},
	{Name: "aliases", Type: typeIDs, Remote: true, Example: []any{"gpt-4o-mini"},
		Doc: "Further ids that clients may use for the model. No two models may share one."},
	{Name: "api_key", Type: typeText, Example: "${PARTNER_KEY}",
		Absent: "the --api-key or VLLM_API_KEY of the process, if any",
		Doc:    "The key that the server asks for. The gateway sends it; clients never see it. A process with vLLM's flags is given it as VLLM_API_KEY."},
	{Name: "restart_policy", Type: typeChoice, Remote: true, Choices: []string{string(OnFailure), string(Always), string(Never)}, Default: string(OnFailure), Example: "never",
		Doc: "What follows when the process ends unasked or stops answering: on-failure and always both start it anew, because " +
			"such an end is a failure whatever the exit code; never leaves it down."},
	{Name: "start", Type: typeChoice, Remote: true, Choices: []string{"auto", onDemand}, Default: "auto", Example: onDemand,
		Doc: "When the model is started: auto is at once, together with FluidMCP; on_demand is by the first request, which the gateway " +
			"holds until the model is there. A model on demand has to be started here."},
	{Name: "idle_timeout", Type: typeDuration, Remote: true, Forms: started, Demand: true, Example: "15m", Absent: "it stays until it is stopped or has to make room",
		Doc: "How long a model on demand may have no request before it is stopped. The next request starts it again."},
	{Name: "swap_group", Type: typeText, Remote: true, Forms: started, Demand: true, Example: "gpu-0", Absent: "it needs no room",
		Doc: "The name of a group of models that share GPUs, of which so many are loaded at a time as swapGroups says, one by default. " +
			"A request for another one makes room, when what is loaded is idle or has answered what it had, and has stayed for a while."},
	{Name: "sleep", Type: typeYesNo, Forms: processes, Demand: true, Default: false, Example: true,
		Doc: "Whether the model is put to sleep in place of being stopped when it is idle or makes room: its process stays, its weights wait " +
			"in main memory, and it is back in seconds (vLLM's sleep mode, level 1). --enable-sleep-mode and VLLM_SERVER_DEV_MODE=1 are filled in. " +
			"A server that does not go to sleep is stopped."},
	{Name: "depends_on", Type: typeIDs, Forms: started, Remote: true, Example: []any{"embedder"},
		Doc: "The ids of models of this file that have to be ready before a server of this one starts. At the end they are drained after it."},
	{Name: "rollout", Type: typeObject, Forms: processes, Remote: true, Example: map[string]any{"surge": true},
		Doc: "How a restart replaces the servers of the model: one after the other, each drained first.",
		Fields: []Field{
			{Name: "surge", Type: typeYesNo, Example: true, Absent: "true for one server of the mock, else false",
				Doc: "Whether there is room for one more server, at a port after those of the model, while a restart lasts: it starts first, so that " +
					"also a model of one server answers all the time. A server on a GPU needs as much free memory there as the first."},
		}},
	{Name: "timeouts", Type: typeObject, Remote: true, Example: map[string]any{"first_byte": "2m", "drain": 60},
		Doc: "How long this model may take; what is left out comes from the settings of gateway and supervisor.",
		Fields: []Field{
			{Name: "connect", Type: typeDuration, Absent: "GATEWAY_CONNECT_TIMEOUT", Example: "500ms",
				Doc: "To connect to the server. Then another server is tried, if there is one."},
			{Name: "first_byte", Type: typeDuration, Absent: "GATEWAY_FIRST_BYTE_TIMEOUT", Example: "2m",
				Doc: "From sending a request to the answer, or to a stream's first event. Then the client gets a 504."},
			{Name: "idle", Type: typeDuration, Absent: "GATEWAY_IDLE_TIMEOUT", Example: 30,
				Doc: "Between two pieces of an answer. Then a stream is ended with an error event."},
			{Name: "total", Type: typeDuration, Absent: "GATEWAY_TOTAL_TIMEOUT", Example: "10m",
				Doc: "Of a whole answer."},
			{Name: "start", Type: typeDuration, Absent: "SUPERVISOR_START_TIMEOUT", Example: "30m",
				Doc: "From the start of the process to its being ready: download, load, compile. Then it is ended and started anew."},
			{Name: "stall", Type: typeDuration, Absent: "SUPERVISOR_STALL_TIMEOUT", Example: "10m",
				Doc: "For the start to make progress, by the log of the process: weights loaded, graphs captured. Then it is ended and started anew."},
			{Name: "drain", Type: typeDuration, Absent: "SUPERVISOR_DRAIN_TIMEOUT", Example: 60,
				Doc: "For requests in flight before the process is ended by stop, restart or Ctrl-C."},
			{Name: "load", Type: typeDuration, Absent: "GATEWAY_LOAD_TIMEOUT", Example: "15m",
				Doc: "For a request that waits until the model is loaded. Then the client gets a 503 that tells how far it is."},
		}},
	{Name: "routing", Type: typeObject, Remote: true, Example: map[string]any{"policy": "round_robin", "fallbacks": []any{"partner"}},
		Doc: "Which of its servers answers a request, and when another model does.",
		Fields: []Field{
			{Name: "policy", Type: typeChoice, Choices: policies(), Default: string(fleet.LeastLoad), Example: "prefix_affinity",
				Doc: "How a server is chosen: least_load takes the less loaded of two drawn at random, prefix_affinity the same one for prompts " +
					"that begin alike, so that its prefix cache hits, round_robin one after the other, weighted in proportion to weight."},
			{Name: "session_header", Type: typeHeader, Example: "X-Session-Id",
				Doc: "Requests with the same value of this header go to the same server, whatever the policy."},
			{Name: "canary", Type: typeObjects, Example: []any{map[string]any{"model": "llama-next", "percent": 5}},
				Doc: "Other models of this file that answer a part of the traffic; together at most 100 percent.",
				Fields: []Field{
					{Name: "model", Type: typeID, Needed: true, Doc: "The id of the other model.", Example: "llama-next"},
					{Name: "percent", Type: typePercent, Needed: true, Doc: "Its part of the requests, such as 5 or 0.5.", Example: 0.5},
				}},
			{Name: "fallbacks", Type: typeIDs, Example: []any{"partner"},
				Doc: "The ids of models of this file that answer, in this order, when this one cannot."},
			{Name: "hedge", Type: typeYesNo, Default: false, Example: true,
				Doc: "Whether a second server is asked too when the first is slower than 95 % of the answers before. The quicker one wins; it costs work twice."},
		}},
	{Name: "limits", Type: typeObject, Remote: true, Example: map[string]any{"inflight": 64, "queue": 200, "queue_timeout": 10},
		Doc: "How much each gateway lets through to the model at a time.",
		Fields: []Field{
			{Name: "inflight", Type: typeWhole, Min: 1, Max: mostRequests, Absent: "no limit", Example: 64,
				Doc: "Requests at its servers. More wait in the queue."},
			{Name: "queue", Type: typeWhole, Min: 1, Max: mostRequests, Absent: "that of the gateway", Example: 200,
				Doc: "Requests that wait for their turn. More are refused at once."},
			{Name: "queue_timeout", Type: typeDuration, Absent: "that of the gateway", Example: 10,
				Doc: "The longest wait in the queue. Then the request is refused."},
			{Name: "keep_alive", Type: typeYesNo, Default: false, Example: true,
				Doc: "Whether requests wait for a model that has no server at the moment, instead of getting a 503, also when one has died under them. " +
					"Streams hear comments meanwhile."},
		}},
}

// onDemand is a value of start.
const onDemand = "on_demand"

// mostRequests is more than a gateway can carry.
const mostRequests = 1_000_000

func policies() []string {
	names := make([]string, len(fleet.Policies))
	for i, p := range fleet.Policies {
		names[i] = string(p)
	}
	return names
}

// fileFields are the fields at the top of the file.
var fileFields = []Field{
	{Name: "$schema", Type: typeText, Doc: "Where editors find the JSON Schema of this file; FluidMCP does not read it.", Example: "./models.schema.json"},
	{Name: "llmModels", Type: typeObject, Needed: true,
		Doc: "The models by id. An id is up to 200 letters, digits and . _ : @ + - beginning with a letter or digit, or several such parts with / between; not v1."},
	{Name: "swapGroups", Type: typeObject, Doc: "The groups that the field swap_group of models names, by name. One that needs no settings may be left out."},
}

// GroupFields lists the fields of one entry of swapGroups.
func GroupFields() []Field { return groupFields }

var groupFields = []Field{
	{Name: "loaded", Type: typeWhole, Min: 1, Max: 256, Default: 1, Example: 2, Doc: "How many of its models are loaded at a time."},
	{Name: "residency", Type: typeDuration, Example: "2m", Absent: "as long as its start took, at least ten seconds",
		Doc: "How long a model stays, from when it was ready, before it makes room for another one."},
}

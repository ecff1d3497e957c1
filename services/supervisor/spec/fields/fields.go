package fields

import (
	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/spec/strict"
)

// Models is the field that holds the models.
const Models = "llmModels"

// The fields by which a model can be given; ByEndpoints is for endpoints alone.
const (
	ByCommand    = "command"
	ByModel      = "model"
	ByContainer  = "container"
	ByDeployment = "deployment"
	ByEndpoints  = "endpoints"
)

// Forms are the fields that say how a model is run here. Without any of them it is given by ByEndpoints.
var Forms = []string{ByCommand, ByModel, ByContainer, ByDeployment}

// Values of strict.Field.Forms.
var (
	processes   = []string{ByCommand, ByModel}
	commandOnly = []string{ByCommand}
	modelOnly   = []string{ByModel}
	started     = []string{ByCommand, ByModel, ByContainer} // whose servers are started here

	containerOnly = []string{ByContainer}
	watched       = []string{ByEndpoints, ByContainer}
)

// OfModel lists the fields of one entry of llmModels.
func OfModel() []strict.Field { return modelFields }

var modelFields = []strict.Field{
	{Name: ByCommand, Type: strict.TypeText, Forms: commandOnly, Example: "mockvllm",
		Doc: "The program to run: a path, or a name that is looked up in PATH. mockvllm is always there with the fluidmcp command."},
	{Name: "args", Type: strict.TypeWords, Forms: commandOnly, Example: []any{"serve", "mock-model", "--port", 8001},
		Doc: "Arguments of the command, each a string of its own. What mockvllm and vllm serve lack, that is the model and " +
			"--port, is filled in. ${NAME} and secrets are hidden where the command is shown."},
	{Name: ByModel, Type: strict.TypeText, Forms: modelOnly, Example: "meta-llama/Llama-3.1-8B-Instruct",
		Doc: "A model for vllm serve: its name on Hugging Face, or a folder. FluidMCP writes the command line, and has vLLM " +
			"listen on 127.0.0.1 only unless config or endpoints name another host."},
	{Name: "port", Type: strict.TypeWhole, Min: 1, Max: 65535, Forms: modelOnly, Example: 8001, Absent: "the port of endpoints",
		Doc: "The TCP port that vLLM serves the model on."},
	{Name: "profile", Type: strict.TypeChoice, Choices: []string{"production", "development", "high-throughput"}, Forms: modelOnly,
		Default: "production", Example: "development",
		Doc: "A set of vLLM flags to begin with; config overrides each of them."},
	{Name: "config", Type: strict.TypeFlags, Forms: modelOnly, Example: map[string]any{"max-model-len": 8192, "enable-prefix-caching": true},
		Doc: "Any flag of vllm serve without its dashes: true is the flag alone, false its --no- form, a list is several values."},
	{Name: "env", Type: strict.TypeEnv, Forms: processes, Example: map[string]any{"HF_HOME": "${HOME}/models"},
		Doc: "Environment variables that the process gets beside those that it inherits, which are few. Their values are never shown."},
	{Name: "cwd", Type: strict.TypeText, Forms: processes, Example: "/srv/models", Absent: "the folder that FluidMCP runs in",
		Doc: "The folder that the process starts in."},
	{Name: "devices", Type: strict.TypeWords, Forms: processes, Example: []any{"0,1"}, Absent: "CUDA_VISIBLE_DEVICES of env, else of FluidMCP's own environment",
		Doc: "The GPUs of the process, as CUDA_VISIBLE_DEVICES has them: an item for each replica, or one for all of them."},
	{Name: "replicas", Type: strict.TypeWhole, Min: 1, Max: 256, Forms: processes, Remote: true, Default: 1, Example: 2,
		Doc: "How many processes serve the model. Each next one gets the next port; requests are spread over them."},
	{Name: ByContainer, Type: strict.TypeObject, OneOf: true, Forms: containerOnly, Example: map[string]any{"name": "fluidmcp-model"},
		Doc: "A container that exists already, as compose creates it, and has the label com.fluidmcp.model with the model's id. FluidMCP starts, stops and restarts it.",
		Fields: []strict.Field{
			{Name: "name", Type: strict.TypeText, Absent: "names in its place", Doc: "The container's name.", Example: "fluidmcp-model"},
			{Name: "names", Type: strict.TypeWords, Absent: "name in its place", Example: []any{"fluidmcp-model"},
				Doc: "Several containers that answer for the model, each at its address in endpoints.servers, in the same order."},
		}},
	{Name: ByDeployment, Type: strict.TypeObject, Forms: []string{ByDeployment}, Example: map[string]any{"name": "llama", "namespace": "models"},
		Doc: "A Kubernetes Deployment that exists already. Such an entry is checked, but not run yet; use endpoints alone meanwhile.",
		Fields: []strict.Field{
			{Name: "name", Type: strict.TypeText, Needed: true, Doc: "The Deployment's name.", Example: "llama"},
			{Name: "namespace", Type: strict.TypeText, Doc: "Its namespace.", Absent: "that of the credentials", Example: "models"},
		}},
	{Name: ByEndpoints, Type: strict.TypeObject, OneOf: true, Example: map[string]any{"base_url": "http://localhost:8001/v1"},
		Absent: "127.0.0.1 and the port of the command line",
		Doc:    "Where the model answers. Alone, it makes an entry for a server that somebody else runs, which is watched but never started or stopped.",
		Fields: []strict.Field{
			{Name: "base_url", Type: strict.TypeURL, Absent: "servers in its place", Example: "http://localhost:8001/v1",
				Doc: "The address of the model server, http or https, with or without /v1 at its end."},
			{Name: "servers", Type: strict.TypeObjects, Forms: watched, Absent: "base_url in its place",
				Example: []any{map[string]any{"base_url": "http://gpu-1:8000/v1"}, map[string]any{"base_url": "http://gpu-2:8000/v1", "weight": 3}},
				Doc:     "Several servers that answer for the model, all alike; only where endpoints stands alone or beside container. Requests are spread over them.",
				Fields: []strict.Field{
					{Name: "base_url", Type: strict.TypeURL, Needed: true, Doc: "The address of the server.", Example: "http://gpu-1:8000/v1"},
					{Name: "weight", Type: strict.TypeWhole, Min: 1, Max: 1000, Default: 1, Example: 3,
						Doc: "Its share of the traffic in proportion to the others', when the policy is weighted."},
				}},
		}},
	{Name: "served_name", Type: strict.TypeText, Example: "mock-model",
		Absent: "what the command line says; without one, requests are passed on with the name that the client gave",
		Doc: "What the server itself calls the model. The gateway puts it into each request, and the model is ready once the " +
			"server lists it. Clients may use it too, unless two models share it."},
	{Name: "aliases", Type: strict.TypeIDs, Remote: true, Example: []any{"gpt-4o-mini"},
		Doc: "Further ids that clients may use for the model. No two models may share one."},
	{Name: "api_key", Type: strict.TypeText, Example: "${PARTNER_KEY}",
		Absent: "the --api-key or VLLM_API_KEY of the process, if any",
		Doc:    "The key that the server asks for. The gateway sends it; clients never see it. A process with vLLM's flags is given it as VLLM_API_KEY."},
	{Name: "restart_policy", Type: strict.TypeChoice, Remote: true, Choices: []string{"on-failure", "always", "never"}, Default: "on-failure", Example: "never",
		Doc: "What follows when the process ends unasked or stops answering: on-failure and always both start it anew, because " +
			"such an end is a failure whatever the exit code; never leaves it down."},
	{Name: "start", Type: strict.TypeChoice, Remote: true, Choices: []string{"auto", OnDemand}, Default: "auto", Example: OnDemand,
		Doc: "When the model is started: auto is at once, together with FluidMCP; on_demand is by the first request, which the gateway " +
			"holds until the model is there. A model on demand has to be started here."},
	{Name: "idle_timeout", Type: strict.TypeDuration, Remote: true, Forms: started, Demand: true, Example: "15m", Absent: "it stays until it is stopped or has to make room",
		Doc: "How long a model on demand may have no request before it is stopped. The next request starts it again."},
	{Name: "swap_group", Type: strict.TypeText, Remote: true, Forms: started, Demand: true, Example: "gpu-0", Absent: "it needs no room",
		Doc: "The name of a group of models that share GPUs, of which so many are loaded at a time as swapGroups says, one by default. " +
			"A request for another one makes room, when what is loaded is idle or has answered what it had, and has stayed for a while."},
	{Name: "sleep", Type: strict.TypeYesNo, Forms: processes, Demand: true, Default: false, Example: true,
		Doc: "Whether the model is put to sleep in place of being stopped when it is idle or makes room: its process stays, its weights wait " +
			"in main memory, and it is back in seconds (vLLM's sleep mode, level 1). --enable-sleep-mode and VLLM_SERVER_DEV_MODE=1 are filled in. " +
			"A server that does not go to sleep is stopped."},
	{Name: "depends_on", Type: strict.TypeIDs, Forms: started, Remote: true, Example: []any{"embedder"},
		Doc: "The ids of models of this file that have to be ready before a server of this one starts. At the end they are drained after it."},
	{Name: "rollout", Type: strict.TypeObject, Forms: processes, Remote: true, Example: map[string]any{"surge": true},
		Doc: "How a restart replaces the servers of the model: one after the other, each drained first.",
		Fields: []strict.Field{
			{Name: "surge", Type: strict.TypeYesNo, Example: true, Absent: "true for one server of the mock, else false",
				Doc: "Whether there is room for one more server, at a port after those of the model, while a restart lasts: it starts first, so that " +
					"also a model of one server answers all the time. A server on a GPU needs as much free memory there as the first."},
		}},
	{Name: "timeouts", Type: strict.TypeObject, Remote: true, Example: map[string]any{"first_byte": "2m", "drain": 60},
		Doc: "How long this model may take; what is left out comes from the settings of gateway and supervisor.",
		Fields: []strict.Field{
			{Name: "connect", Type: strict.TypeDuration, Absent: "GATEWAY_CONNECT_TIMEOUT", Example: "500ms",
				Doc: "To connect to the server. Then another server is tried, if there is one."},
			{Name: "first_byte", Type: strict.TypeDuration, Absent: "GATEWAY_FIRST_BYTE_TIMEOUT", Example: "2m",
				Doc: "From sending a request to the answer, or to a stream's first event. Then the client gets a 504."},
			{Name: "idle", Type: strict.TypeDuration, Absent: "GATEWAY_IDLE_TIMEOUT", Example: 30,
				Doc: "Between two pieces of an answer. Then a stream is ended with an error event."},
			{Name: "total", Type: strict.TypeDuration, Absent: "GATEWAY_TOTAL_TIMEOUT", Example: "10m",
				Doc: "Of a whole answer."},
			{Name: "start", Type: strict.TypeDuration, Absent: "SUPERVISOR_START_TIMEOUT", Example: "30m",
				Doc: "From the start of the process to its being ready: download, load, compile. Then it is ended and started anew."},
			{Name: "stall", Type: strict.TypeDuration, Absent: "SUPERVISOR_STALL_TIMEOUT", Example: "10m",
				Doc: "For the start to make progress, by the log of the process: weights loaded, graphs captured. Then it is ended and started anew."},
			{Name: "drain", Type: strict.TypeDuration, Absent: "SUPERVISOR_DRAIN_TIMEOUT", Example: 60,
				Doc: "For requests in flight before the process is ended by stop, restart or Ctrl-C."},
			{Name: "load", Type: strict.TypeDuration, Absent: "GATEWAY_LOAD_TIMEOUT", Example: "15m",
				Doc: "For a request that waits until the model is loaded. Then the client gets a 503 that tells how far it is."},
		}},
	{Name: "routing", Type: strict.TypeObject, Remote: true, Example: map[string]any{"policy": "round_robin", "fallbacks": []any{"partner"}},
		Doc: "Which of its servers answers a request, and when another model does.",
		Fields: []strict.Field{
			{Name: "policy", Type: strict.TypeChoice, Choices: policies(), Default: string(fleet.LeastLoad), Example: "prefix_affinity",
				Doc: "How a server is chosen: least_load takes the less loaded of two drawn at random, prefix_affinity the same one for prompts " +
					"that begin alike, so that its prefix cache hits, round_robin one after the other, weighted in proportion to weight."},
			{Name: "session_header", Type: strict.TypeHeader, Example: "X-Session-Id",
				Doc: "Requests with the same value of this header go to the same server, whatever the policy."},
			{Name: "canary", Type: strict.TypeObjects, Example: []any{map[string]any{"model": "llama-next", "percent": 5}},
				Doc: "Other models of this file that answer a part of the traffic; together at most 100 percent.",
				Fields: []strict.Field{
					{Name: "model", Type: strict.TypeID, Needed: true, Doc: "The id of the other model.", Example: "llama-next"},
					{Name: "percent", Type: strict.TypePercent, Needed: true, Doc: "Its part of the requests, such as 5 or 0.5.", Example: 0.5},
				}},
			{Name: "fallbacks", Type: strict.TypeIDs, Example: []any{"partner"},
				Doc: "The ids of models of this file that answer, in this order, when this one cannot."},
			{Name: "hedge", Type: strict.TypeYesNo, Default: false, Example: true,
				Doc: "Whether a second server is asked too when the first is slower than 95 % of the answers before. The quicker one wins; it costs work twice."},
		}},
	{Name: "limits", Type: strict.TypeObject, Remote: true, Example: map[string]any{"inflight": 64, "queue": 200, "queue_timeout": 10},
		Doc: "How much each gateway lets through to the model at a time.",
		Fields: []strict.Field{
			{Name: "inflight", Type: strict.TypeWhole, Min: 1, Max: mostRequests, Absent: "no limit", Example: 64,
				Doc: "Requests at its servers. More wait in the queue."},
			{Name: "queue", Type: strict.TypeWhole, Min: 1, Max: mostRequests, Absent: "that of the gateway", Example: 200,
				Doc: "Requests that wait for their turn. More are refused at once."},
			{Name: "queue_timeout", Type: strict.TypeDuration, Absent: "that of the gateway", Example: 10,
				Doc: "The longest wait in the queue. Then the request is refused."},
			{Name: "keep_alive", Type: strict.TypeYesNo, Default: false, Example: true,
				Doc: "Whether requests wait for a model that has no server at the moment, instead of getting a 503, also when one has died under them. " +
					"Streams hear comments meanwhile."},
		}},
}

// OnDemand is a value of start.
const OnDemand = "on_demand"

// mostRequests is more than a gateway can carry.
const mostRequests = 1_000_000

func policies() []string {
	names := make([]string, len(fleet.Policies))
	for i, p := range fleet.Policies {
		names[i] = string(p)
	}
	return names
}

// OfFile lists the fields at the top of the file.
func OfFile() []strict.Field { return fileFields }

var fileFields = []strict.Field{
	{Name: "$schema", Type: strict.TypeText, Doc: "Where editors find the JSON Schema of this file; FluidMCP does not read it.", Example: "./models.schema.json"},
	{Name: Models, Type: strict.TypeObject, Needed: true,
		Doc: "The models by id. An id is up to 200 letters, digits and . _ : @ + - beginning with a letter or digit, or several such parts with / between; not v1."},
	{Name: "swapGroups", Type: strict.TypeObject, Doc: "The groups that the field swap_group of models names, by name. One that needs no settings may be left out."},
}

// OfGroup lists the fields of one entry of swapGroups.
func OfGroup() []strict.Field { return groupFields }

var groupFields = []strict.Field{
	{Name: "loaded", Type: strict.TypeWhole, Min: 1, Max: 256, Default: 1, Example: 2, Doc: "How many of its models are loaded at a time."},
	{Name: "residency", Type: strict.TypeDuration, Example: "2m", Absent: "as long as its start took, at least ten seconds",
		Doc: "How long a model stays, from when it was ready, before it makes room for another one."},
}

// Elsewhere are flags of vLLM that the file says in fields of their own.
var Elsewhere = map[string]string{
	"port": "port", "model": "model", "served-model-name": "served_name", "api-key": "api_key",
}

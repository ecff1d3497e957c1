package fields

import (
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// nameFields say what the model is called, and how one gets in.
var nameFields = []strict.Field{
	{Name: "served_name", Type: strict.TypeText, Example: "mock-model",
		Absent: "what the command line says; without one, requests are passed on with the name that the client gave",
		Doc: "What the server itself calls the model. The gateway puts it into each request, and the model is ready once the " +
			"server lists it. Clients may use it too, unless two models share it."},
	{Name: "aliases", Type: strict.TypeIDs, Remote: true, Example: []any{"gpt-4o-mini"},
		Doc: "Further ids that clients may use for the model. No two models may share one."},
	{Name: "api_key", Type: strict.TypeText, Example: "${PARTNER_KEY}",
		Absent: "the --api-key or VLLM_API_KEY of the process, if any",
		Doc:    "The key that the server asks for. The gateway sends it; clients never see it. A process with vLLM's flags is given it as VLLM_API_KEY."},
}

// lifeFields say when servers of the model start and end.
var lifeFields = []strict.Field{
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
}

// timeoutFields say how long things may take.
var timeoutFields = []strict.Field{
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
}

// OnDemand is a value of start.
const OnDemand = "on_demand"

package fields

import (
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// processFields say which process is started.
var processFields = []strict.Field{
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
}

// placeFields say where servers are that are no processes started here, and where a model answers.
var placeFields = []strict.Field{
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
}

// Command fluidmcp runs vLLM models behind one OpenAI-compatible address, without a GPU if need be.
//
// It embeds the three services: `run` starts supervisor and gateway in this process and the models as child processes;
// the hidden commands `mockvllm` and `guard` are what the binary becomes when it executes itself.
//
//	run/        a models file: check it, start its models and serve them
//	manage/     ask a running FluidMCP, and tell it what to do
//	keyfile/    API keys
//	loadtest/   send load and measure, with its flags in loadtest.go
//	cli/        what the commands have in common; why/ says why a server is in its phase
package main

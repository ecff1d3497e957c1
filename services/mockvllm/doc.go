// Package mockvllm is a vLLM server without the GPU: the command line, the HTTP interface, the errors, the metrics and
// the life cycle of vLLM 0.32, and faults on command.
//
//	flags.go      vllm serve's command line
//	main.go       Main: what `mockvllm` and `fluidmcp mockvllm` share
//	mockvllm.go   New wires the rooms, Run serves until it is told to stop
//	routes.go     every URL
//	generate.go   chat and text completions and messages, plain and streamed
//
// A request passes: access log, journal, API key, CORS, HTTP metrics, faults, then its handler. A generating handler decodes and
// checks (protocol), writes the whole answer (text), and hands its length to the engine, which says when each token is
// due. The handler sends what the engine has delivered, and nothing else: a client that leaves ends the engine's work.
package mockvllm

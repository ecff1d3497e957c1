// Package mockvllm is a vLLM server without the GPU: the command line, the HTTP interface, the errors, the metrics and
// the life cycle of vLLM 0.32, and faults on command. This package wires the rooms.
//
//	main.go       the command: serve, healthcheck
//	mockvllm.go   New wires; Run serves until it is told to stop, or dies
//	routes.go     every URL, and which room answers it
//	handler.go    what a request passes on its way there, and handlers that several rooms make together
//	model.go      what answers, as the configuration names it
//
// A request passes: access log, journal, request id, API key, CORS, root path, HTTP metrics, load, faults, then its handler. A
// generating handler decodes (schema), reads and checks (protocol, sampling), has the answer planned (generation), and hands its
// length to the engine, which says when each token is due. The handler sends what the engine has delivered, and nothing
// else: a client that leaves ends the engine's work.
//
// Rooms that answer: answers is the path above, for all interfaces; stored is what the Responses API has besides, sagemaker and
// scaleout other ways to it; pooling what a model does that makes vectors; models, operations, devmode and apidocs are the
// routes that generate nothing; control is what only a mock has, below /mock/.
//
// Rooms for all of them: config is what a server is told; life how it dies, hangs and refuses; middleware, starlette and fastapi
// what is done with every request, in the forms of vLLM and of the frameworks that it stands on.
//
// Below: uvicorn is the HTTP server; pyjson JSON and text as Python writes them; tokenizer and template what Hugging Face's
// libraries do; refmodel the model that was recorded; text the formats of calls, thoughts and constrained answers; engine and latency time; metrics what Prometheus
// reads, statlog, loading and console what the log says; cli and lora vLLM's options and adapters; faults and journal what tests need;
// golden compares with recorded exchanges.
package mockvllm

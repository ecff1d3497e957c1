// Package mockvllm is a vLLM server without the GPU: the command line, the HTTP interface, the errors, the metrics and
// the life cycle of vLLM 0.32, and faults on command.
//
//	main.go, model.go                                              the command line, and the model that it names (config)
//	mockvllm.go, statistics.go                                     New wires the rooms; Run serves until it is told to stop, or dies (life)
//	routes.go, middleware.go                                       every URL, and what a request passes on its way there
//
// A request passes: access log, journal, request id, API key, CORS, root path, HTTP metrics, load, faults, then its handler. A
// generating handler decodes (schema), reads and checks (protocol, sampling), has the answer planned (generation), and hands its
// length to the engine, which says when each token is due. The handler sends what the engine has delivered, and nothing
// else: a client that leaves ends the engine's work.
//
// Below: uvicorn is the HTTP server; starlette how routes are found, fastapi how requests are read and answered; pyjson JSON and text as Python writes them; tokenizer and template what Hugging Face's
// libraries do; text the formats of calls, thoughts and constrained answers; engine and latency time; metrics what Prometheus
// reads, statlog and console what the log says; cli and apidocs vLLM's options and documents; faults and journal what
// tests need; golden compares with recorded exchanges.
package mockvllm

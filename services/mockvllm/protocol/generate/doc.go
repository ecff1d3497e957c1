// Package generate is vLLM's /inference/v1/generate, which answers tokens with tokens: one of the interfaces that
// --enable-scale-out turns on.
//
//	request.go    what a request may hold
//	answer.go     whole answers and streamed ones
//	logprobs.go   likelihoods in both, by token or by text
package generate

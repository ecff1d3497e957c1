// Package completion is /v1/completions of vLLM 0.32.
//
//	request.go   what a request may hold, and the prompts that it becomes
//	answer.go    whole answers
//	stream.go    streamed ones
//	logprobs.go  likelihoods in both
package completion

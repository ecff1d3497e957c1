// Package chat is /v1/chat/completions of vLLM 0.32.
//
//	request.go   what a request may hold, and the prompt that it becomes
//	batch.go     several conversations in one request
//	answer.go    whole answers
//	stream.go    streamed ones
//	logprobs.go  likelihoods in both
package chat

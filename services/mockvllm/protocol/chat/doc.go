// Package chat is /v1/chat/completions of vLLM 0.32.
//
//	request.go   what a request may hold, and the prompt that it becomes
//	parser.go    reasoning and tool calls in what the model says
//	answer.go    whole answers
//	stream.go    streamed ones
//	logprobs.go  likelihoods in both
package chat

// Package messages is Anthropic's Messages API as vLLM 0.32 serves it: /v1/messages and /v1/messages/count_tokens. vLLM turns
// such a request into one for a chat completion, and so does this.
//
//	request.go       what a request may hold
//	conversation.go  its blocks of content as chat messages
//	tools.go         what may be called
//	answer.go        whole messages
//	stream.go        streamed ones
package messages

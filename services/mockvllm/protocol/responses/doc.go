// Package responses is OpenAI's Responses API as vLLM 0.32 serves it for models that are not harmony ones: /v1/responses.
//
//	request.go   what a request may hold
//	input.go     its items as chat messages
//	tools.go     what may be called
//	history.go   what a stored response leaves for the next one
//	answer.go    the response object
//	items.go     what a response holds: reasoning, a message, calls
//	stream.go    the events of a streamed one
package responses

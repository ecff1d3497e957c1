// Package render writes the requests for tokens that requests of other interfaces become: /v1/chat/completions/render and its
// like, which --enable-scale-out turns on.
//
//	render.go    a GenerateRequest
//	params.go    its sampling parameters, as vLLM dumps them
//	offsets.go   where the tokens of a prompt begin and end
package render

// Package declared is what vLLM declares: its request models, in schema.json, and in Go the validators that their classes have.
//
//	chat.go, tools.go, completion.go, responses.go, anthropic.go, generate.go, pooling.go   those of each interface
//	common.go, sampling.go, tag.go                                                          those that several have
//	python.go                                                                               what Python does in them
//
// A file registers its validators (hooks.go) when the program starts; Models builds the models with them at the first use.
package declared

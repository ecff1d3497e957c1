// Package guidance tells what is wrong with a JSON Schema in the words of llguidance, the library that vLLM 0.32 turns to when
// xgrammar does not take one. These are the words that clients see.
//
//	schema.go   one schema, its references and its types
//	types.go    what counts for values of one type (numbers in numbers.go)
//	parts.go    schemas made of others
//	lacking.go  what of JSON Schema it does not know
package guidance

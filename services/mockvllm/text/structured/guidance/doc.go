// Package guidance tells what is wrong with a constraint in the words of llguidance, the library that vLLM 0.32 turns to when
// xgrammar does not take one. These are the words that clients see.
//
//	schema.go   JSON Schemas (and numbers.go, parts.go)
//	lacking.go  what of JSON Schema it does not know
//	regex.go    regular expressions (and regexgroups.go)
package guidance

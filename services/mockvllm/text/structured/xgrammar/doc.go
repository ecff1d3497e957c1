// Package xgrammar tells what xgrammar takes, the library that vLLM 0.32 asks first about a constraint. What it says of one that it
// does not take no client sees.
//
//	schema.go  JSON Schemas (and kinds.go, by the type of the value)
//	beyond.go  those that vLLM does not give it
//	regex.go   regular expressions
package xgrammar

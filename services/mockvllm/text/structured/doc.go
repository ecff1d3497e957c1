// Package structured turns what a request says of an answer's form (structured_outputs, response_format, the schema of a tool's
// arguments) into answers of that form, and refuses what vLLM 0.32 refuses, in its words.
//
// vLLM tries xgrammar first, then llguidance, and what a client sees are the words of the second. Both read a schema with
// gaps: some keywords they refuse together, others they pass over. Here the first are refused as there, the others hold as far as there
// are values at all. The engine has one library, that of the first constraint: what only llguidance takes fails where xgrammar was first.
//
//	structured.go a constraint: its kinds, and texts for it
//	refusals.go   what vLLM refuses before it looks into a schema, an expression or a grammar
//	xgrammar.go   which schemas xgrammar takes (and xgrammarkinds.go)
//	faults.go     what is wrong with a JSON Schema, in llguidance's words (and faultparts.go)
//	features.go   which schemas go to llguidance, and what it lacks
//	tags.go       structural tags, of both forms
//
// The packages schema and grammar make the texts.
package structured

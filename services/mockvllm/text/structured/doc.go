// Package structured turns what a request says of an answer's form (structured_outputs, response_format, the schema of a tool's
// arguments) into answers of that form, and refuses what vLLM 0.32 refuses, in its words.
//
// vLLM tries xgrammar first, then llguidance, or outlines_core for patternProperties, and what a client sees are the words of the
// second. All read a schema with gaps: some keywords they refuse together, others they pass over. Here the first are refused as there, the others hold as far as there
// are values at all. The engine has one library, that of the first constraint: what only llguidance takes fails where xgrammar was first.
//
//	structured.go  a constraint: its kinds, and texts for it
//	grammars.go    constraints by an expression or a grammar
//	tags.go        structural tags, of both forms
//	refusals.go    what vLLM refuses before it looks into a schema, an expression or a grammar
//	xgrammar/      what xgrammar takes
//	guidance/      what is wrong, in the words of llguidance
//	outlines/      what is wrong, in the words of outlines_core
//	schema/        values of a JSON Schema
//	grammar/       texts of an expression or a grammar
//	keyword/       keywords of a JSON Schema, for all who read one
package structured

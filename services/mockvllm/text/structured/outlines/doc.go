// Package outlines tells what is wrong with a JSON Schema in the words of outlines_core, the library that vLLM 0.32 turns to when
// xgrammar does not take a schema with patternProperties, which llguidance does not know. It makes a regular expression of the
// schema, that vLLM looks at too. What Python's parser would say of that expression as a whole is not told.
//
//	schema.go   the schema, by its keywords
//	types.go    what a type of values has besides
//	display.go  a schema that the library does not know, as it shows it
//	pattern.go  the patterns inside
package outlines

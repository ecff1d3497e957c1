// Package schema makes JSON values that a JSON Schema accepts: guided, small ones that take up what the user said, or random ones.
// Members stand in the order of properties.
//
//	schema.go  a schema, and values of it
//	tidy.go    what of a schema says nothing
//	facts.go   all that must hold for one value, gathered from references and alternatives
//	value.go   a value of any type
//	object.go  objects
//	array.go   arrays
//	number.go  numbers, in exact fractions
//	text.go    strings
//
// The makers follow all keywords that say what a value is like, and try what they cannot follow (not, and which of several
// alternatives hold at once). A validator has the last word on every value, so none is wrong; a schema for which no value is
// found is an error when it is compiled.
package schema

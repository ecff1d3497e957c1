// Package instance makes one small value that a JSON Schema accepts, always the same for the same schema and hint: what
// a mock model gives as arguments of a tool.
//
//	instance.go   any schema: const, enum, default, examples, references, alternatives
//	containers.go objects and arrays
//	scalar.go     numbers and strings
//	pattern.go    strings that match a regular expression
//	merge.go      two schemas that must both hold
//
// The makers follow the keywords that tools use and know nothing of the rest (not, if, dependencies and the like). So
// nothing leaves the package before a validator has agreed to it: a schema that is beyond the makers is an error and
// never a wrong value.
package instance

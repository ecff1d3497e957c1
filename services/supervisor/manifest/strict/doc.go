// Package strict reads objects of a file field by field, each as a value of its type, and reports every fault at once with its path:
// fields that nobody knows, with the one that was probably meant, values of another type, numbers out of bounds, ${NAME} that is
// not set.
//
//	field.go    what is said of a field beforehand, and the types
//	reader.go   the faults
//	object.go   an object, and the strings in it
//	values.go   numbers, durations, choices
//	names.go    names of headers and models
//	endpoint.go base URLs
//	expand.go   ${NAME}
package strict

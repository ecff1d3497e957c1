// Package document reads files that people write, as JSON with comments or as YAML, into one kind of tree, and helps to say what
// is wrong with them.
package document

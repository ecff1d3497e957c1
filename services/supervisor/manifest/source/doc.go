// Package source is the text of a models file before anybody plans by it: one tree for both notations, which may be changed entry by
// entry, and what it says of each model, for people.
package source

// Package fields describes every field of the models file once: for what reads it, for the reference in docs/configuration.md and
// for its JSON Schema, which is written from the same.
package fields

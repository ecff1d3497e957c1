// Package redact takes secrets out of what model servers print: those that somebody knows, however they are written, and what looks
// like one.
package redact

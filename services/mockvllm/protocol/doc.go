// Package protocol reads requests and writes answers as vLLM 0.32 does: what it accepts, in which order it checks, in
// which words it refuses, and which keys its answers have in which order.
//
//	json.go      JSON as Python's json module reads it, with its error texts and positions
//	fields.go    typed fields with pydantic's lax conversions; faults are collected in the order of the fields
//	chat.go, completions.go, tokenize.go   the requests, field by field
//	anthropic.go, anthropicblocks.go       requests of the Messages API, read into those of chat
//	tools.go     which tools may be called, and which are
//	checks.go    what vLLM checks after the schema: ranges, and what this server does not do
//	work.go      an answer on its way, and the calls in it
//	answer.go, frames.go, stream.go, anthropicanswer.go, errors.go   what goes out
package protocol

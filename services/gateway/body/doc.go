// Package body reads what the gateway has to know of a request body, and changes only the members that must change.
//
// The client's bytes are never encoded anew: order, spacing, number formats, escapes and unknown fields reach the model
// server as they came. Two things may be spliced in: the name under which the server knows the model, and
// stream_options.include_usage, without which a stream does not tell how many tokens it took.
//
// Where JSON leaves room the package reads as vLLM does (Python's json, then pydantic in lax mode): the last of duplicate
// keys counts, and "yes" or 1 is a true.
package body

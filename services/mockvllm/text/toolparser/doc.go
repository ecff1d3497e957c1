// Package toolparser knows how models write tool calls into their text, and how vLLM reads them back (--tool-call-parser),
// whole and as it streams. Each format has both directions, so that a mock model can write what its own server reads.
//
// vLLM 0.32 reads some formats with code of their own and most with one engine: a lexer that finds marks, and a table that
// says what a mark means in which state. So does this package.
//
//	toolparser.go calls, deltas, the table of formats
//	names.go      the names that vLLM knows, and its error for another one
//	engine.go     the engine's states, and how marks and text become pieces of calls
//	lexer.go      marks and text in what has come so far
//	list.go       formats that put all calls into one JSON array
//	pieces.go     how the engine's pieces become deltas, and whole.go how they become calls
//	marks.go      the formats of models that put JSON between marks
//	tags.go       the formats of models that put each argument into a tag
//	hermes.go     hermes, which sends on a model's own JSON
//	llama.go      llama3_json, one object for each call
//	python.go     pythonic, a list of calls as in Python
//	coerce/       arguments that are text in the markup get the type of the tool's schema
//	partialjson/  where in JSON that is still being written a piece may end
//	pycall/       calls as they stand in Python
//
// Engine and formats share this room, because a format is a table for the engine: who adds one reads and often widens both.
//
// With every format, text before calls is content; what may be the beginning of a mark is held back.
package toolparser

// Package toolparser knows how models write tool calls into their text, and how vLLM reads them back (--tool-call-parser),
// whole and as it streams. Each format has both directions, so that a mock model can write what its own server reads.
//
// vLLM 0.32 reads some formats with code of their own and most with one engine: a lexer that finds marks, and a table that
// says what a mark means in which state. So does this package.
//
//	toolparser.go calls, deltas, the table of formats
//	names.go      the names that vLLM knows, and its error for another one
//	hermes.go     hermes, which sends on a model's own JSON
//	engine.go     the engine's states, and how marks and text become pieces of calls
//	lexer.go      marks and text in what has come so far
//	pieces.go     how the engine's pieces become deltas
//	jsonargs.go   where in JSON a piece of arguments may end
//	coerce.go     arguments that are text in the markup get the type of the tool's schema
//	marks.go      the formats of models that put JSON between marks
//	tags.go       the formats of models that put each argument into a tag
//	llama.go      llama3_json, one object for each call
//	python.go     pythonic, a list of calls as in Python (and pythonvalues.go)
//
// With every format, text before calls is content; what may be the beginning of a mark is held back.
package toolparser

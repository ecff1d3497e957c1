// Package jinja renders chat templates as Hugging Face's transformers does: Jinja2 in an immutable sandbox, with trim_blocks,
// lstrip_blocks, loop controls, tojson by json.dumps, raise_exception and strftime_now.
//
// A template may come with a request, so it can do nothing but compute: it reaches no file, no clock but the date, and every
// rendering is bounded in steps, in depth and in the size of what it builds. gonja/v2 takes
// no context and no limit, so it cannot be bounded so.
//
// lex.go cuts a source into text and tags, tokens.go what is in these; parse.go, statement.go, expr.go and chain.go make trees of
// them. frame.go has the variables and the bounds of a rendering; exec.go, macro.go, eval.go, subscript.go and operators.go walk the
// trees; methods.go, text.go, filters.go, lists.go and tests.go hold what templates call. Values are nil,
// bool, int64, float64, string, []any, tuple, *pyjson.Object, and pyjson.Number where a caller hands one in.
package jinja

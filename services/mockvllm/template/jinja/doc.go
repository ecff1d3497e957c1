// Package jinja renders chat templates as Hugging Face's transformers does: Jinja2 in an immutable sandbox, with trim_blocks,
// lstrip_blocks, loop controls, tojson by json.dumps, raise_exception and strftime_now.
//
// A template may come with a request, so it can do nothing but compute: it reaches no file, no clock but the date, and every
// rendering is bounded in steps, in depth and in the size of what it builds. gonja/v2 takes
// no context and no limit, so it cannot be bounded so.
//
//	lexer ◄── syntax ◄── jinja ──► builtin ──► operators ──► value
//	             └─────◄── content
//
// lexer and syntax make a tree of a source. Here frame.go has the variables, and exec.go, macro.go and eval.go walk the tree;
// builtin has what templates call by name, operators what expressions do, value what they do it with. content reads the tree only.
package jinja

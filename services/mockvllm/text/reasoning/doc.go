// Package reasoning tells what a model thinks from what it says, as vLLM 0.32 does with --reasoning-parser.
//
// vLLM has two kinds of parsers. Those of the first look at token ids: a mark is one token, and text that looks like it is none
// (tokens.go). Those of the second read text, whatever its tokens are, hold back what may become a mark, and also end thinking
// where a call of a tool begins (text.go). Neither emits its marks, and after the end of thinking everything is content, marks
// included.
//
// What happens then is not this package's: content goes through the tool parser when the request has tools; a grammar
// (response_format, structured_outputs, the calls of a required tool) binds only what follows the end of thinking; with
// include_reasoning false, deltas that have nothing but reasoning are not sent.
package reasoning

// Package lexer cuts the source of a template into text, marks and what stands between them, by the rules of jinja2.lexer with
// trim_blocks and lstrip_blocks.
package lexer

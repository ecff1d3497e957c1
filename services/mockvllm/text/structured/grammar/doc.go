// Package grammar makes texts that a regular expression or a context-free grammar describes.
//
//	grammar.go  rules, and how small a text of them can be
//	node.go     what rules are made of
//	generate.go a text of a grammar
//	regexp.go   regular expressions, in Python's and ECMAScript's spelling
//	ebnf/       rules with ::=, as llama.cpp and xgrammar have them (GBNF)
//	lark/       rules with a colon, as Lark has them
package grammar

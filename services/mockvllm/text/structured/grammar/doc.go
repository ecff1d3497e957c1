// Package grammar makes texts that a regular expression or a context-free grammar describes.
//
//	grammar.go  the tree that all descriptions become, and how small a text of it can be
//	generate.go a text of a tree
//	regexp.go   regular expressions, in Python's and ECMAScript's spelling
//	ebnf.go     rules with ::=, as llama.cpp and xgrammar have them (GBNF; and ebnfparts.go)
//	lark.go     rules with a colon, as Lark has them (and larkparts.go)
package grammar

// Package ebnf reads grammars whose rules have ::=, as llama.cpp and xgrammar have them (GBNF).
//
//	ebnf.go   rules, choices and sequences
//	parts.go  what stands in them: literals, classes, repetitions
package ebnf

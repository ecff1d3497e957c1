// Package lark reads grammars whose rules have a colon, as Lark has them, and refuses what llguidance refuses, in its words.
//
//	lark.go   statements, choices and sequences
//	parts.go  what stands in them: names, literals, expressions, repetitions
package lark

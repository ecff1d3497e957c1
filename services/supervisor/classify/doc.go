// Package classify reads what a model server prints: how far it is with its start, and why it ended.
//
//	scanner.go    each line as it comes ─► unit.Progress
//	explain.go    the last lines and the exit ─► unit.Finding
//	rules.go      what vLLM and the libraries below it say when they fail
//	line.go       what all lines of vLLM have in front
//
// The texts are those of vLLM 0.32. testdata has whole logs of failures on a CPU; what only happens on a GPU is taken from the source, which
// rules.go names.
package classify

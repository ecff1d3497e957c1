// Package crew runs the units on the board: each in a goroutine of its own, from when the supervisor runs until it ends or the
// unit is no longer wanted. At the end a model goes when those that depend on it have been drained.
package crew

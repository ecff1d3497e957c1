// Package unit owns the life of one model server.
//
// What should happen is decided by Step, a pure function of state and event; Unit is the one goroutine that feeds it with what
// happened and carries its effects out. state.go draws the machine.
package unit

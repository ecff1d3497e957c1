// Package unit decides what becomes of one model server: its life as a pure function.
//
//	step.go        what follows from an event: Step, a pure function of state and event
//	wish.go        what people and rules can want: start, stop, restart, demand, idle, end
//	sleep.go       how a server sleeps in place of ending
//	free.go        how stopped waits until the memory of the server's devices is free
//	fail.go        what a failure leads to: another try, or none
//	before.go      what is known from an earlier supervisor
//	state.go       the drawing of the machine, and all that is known of a unit
//	event.go       what can happen, and what can have to be done
//	reason.go      why: the closed list
//	condition.go   the same told in three yes-or-no questions
//
// It knows no clock, no goroutine and no server: package runner feeds it.
//
// The files are arms of one function over one State, most of whose fields nobody else may see; a cut between them would have to show
// these.
package unit

// Package process is the driver for model servers that are child processes.
//
// vLLM is several processes, and what it leaves behind holds the memory of a GPU. So each model server has a parent of its own, the
// guard: a small process that starts it in a session of its own, adopts whatever below it loses its parent, and ends all of that with
// it. See guard.go. A supervisor that dies takes nothing along by itself: the guards see their pipes end, and end their servers.
//
//	process.go    Driver: starts a guard      environment.go  what a server inherits
//	server.go     this side of a guard        port.go         whether its port is its own
//	guard.go      the other side              report.go       what it says
//	fingerprint.go  what tells one command from another
//	ledger/       which processes there are, also for the next supervisor
//	proc/         what /proc tells
package process

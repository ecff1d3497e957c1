// Package servers makes the model servers of the file: a unit of each instance, with the driver that starts it, what its start waits
// for, how it is probed, and what becomes of what it says and prints.
//
//	servers.go  a model and its instances ──► the board
//	driver.go   what starts one, as the file says by then
//	admit.go    what its start waits for: a container, other models, a place in its group, memory, its turn
//	probe.go    how it is
//	listen.go   what its unit says ──► the board, metrics, the supervisor's log
//	record.go                      ──► events, and what outlives the supervisor
//	output.go   what it prints     ──► the unit: how far its start is, why it ended
package servers

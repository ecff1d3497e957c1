// Package ledger knows the processes of every model server that runs, and writes them down, so that a supervisor can end what one
// before it has left behind.
//
// As a rule nothing is left: the guard of a model server ends it when its supervisor dies, and the kernel does when the guard dies.
// But what the server has started itself outlives a kill of both.
package ledger

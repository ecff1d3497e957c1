// Package faults misbehaves on command: rules say which requests are slow, fail, are turned away or get a broken answer, and
// when the server as a whole is not to be reached or dies.
//
//	decode.go    strict: every fault of the rules at once, each with its path; action.go and reader.go do parts of it
//	injector.go  Decide: what becomes of a request
//	server.go    State: what becomes of the server
//	wire/        carries out what happens to an answer on its way
//
// Which requests a share hits is drawn from a seed and the order of the requests, so that the same requests meet the same
// faults again.
package faults

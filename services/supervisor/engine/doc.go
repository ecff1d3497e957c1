// Package engine makes the few calls of the Docker Engine API that it takes to run containers which exist already: find, start,
// stop, watch and hear one. It creates and changes nothing. docs/adr/0009 says why there is no library for it.
//
//	client.go      the connection, and what an answer that is none of the expected means
//	containers.go  the calls
//	output.go      the two streams of a container's log in one
package engine

// Package life is how a server lives and ends, as fault rules want it: its engine dies, it hangs, it refuses connections.
//
//	life.go    the state, and the timeline of the rules that concern the server as a whole
//	death.go   what a dead engine and a server that hangs mean for requests
//	door.go    a listener that can be shut for a time
package life

// Package rawnet reads and writes TCP connections with less of the Go runtime around each system call.
//
// A system call of package net is announced to the scheduler, because it might take long; one that takes over 20 µs may lose its
// processor to another thread, which costs more than the call. Those on a socket of Go never wait for anything, so here they
// are made unannounced, and waiting is left to the runtime's poller as always. Other systems than Linux, and the race detector,
// which learns from these calls what happens before what, get the calls of the standard library.
package rawnet

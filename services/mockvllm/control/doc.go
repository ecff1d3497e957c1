// Package control is what only a mock has: endpoints for faults, for the journal of requests and for the clock, which neither
// faults nor vLLM's metrics know of, and the middlewares that do what the first two ask for.
package control

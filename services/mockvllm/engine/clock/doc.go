// Package clock is the time by which the engine works: the machine's, or one that stands still until it is advanced, so
// that an hour of traffic can be tested in a second.
//
//	Advance(1h) ──► the earliest timer fires ──► its owner works, arms it again ──► the next one fires ──► … ──► Now is 1h later
package clock

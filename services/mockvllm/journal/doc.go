// Package journal remembers which requests came, what they were sent, and when, so that a test can hold its client, gateway or
// load tester against it. Times are taken right before the bytes go out: whoever reads them reads them later.
//
//	entry.go    a request that runs
//	header.go   what is kept of its header
//	journal.go  the newest requests that are over
//	stats.go    counts of all of them
package journal

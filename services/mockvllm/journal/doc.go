// Package journal remembers what the newest requests were sent, and when, so that a test can hold its client, gateway or
// load tester against it. Times are taken right before the bytes go out: whoever reads them reads them later.
package journal

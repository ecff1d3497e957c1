// Package faults misbehaves on command: rules say which requests are slow, fail or are turned away. Which ones are hit
// is drawn from a seed and the order of the requests, so that the same requests meet the same faults again.
package faults

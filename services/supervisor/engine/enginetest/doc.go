// Package enginetest stands in for a Docker engine in tests that need one to fail, to forget or to be counted, or that have none. The
// scenarios in integration/ use a real one.
package enginetest

// Package external is the driver for model servers that somebody else runs: it starts and ends nothing. A unit with it is
// watched by its probes alone, and a stopped one is out of rotation.
package external

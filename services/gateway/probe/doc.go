// Package probe asks the model servers how they are: prober.go whether they answer, poller.go what they have to do.
//
// Each backend has its own moment within an interval (spread.go), so that the probes of a large fleet are a trickle and
// not a burst. Whom to ask, and whom to tell, are functions of the one who wires it.
package probe

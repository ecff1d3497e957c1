// Package memory says how much memory a program may use to spare processor time.
package memory

import "runtime/debug"

// gcPercent trades some megabytes for much of what collecting costs.
const gcPercent = 400

// CollectLate lets the garbage collector run late, unless GOGC in the environment says how late. GOMEMLIMIT is obeyed all
// the same: near it the collector runs as often as it has to.
func CollectLate(env func(string) string) {
	if env("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

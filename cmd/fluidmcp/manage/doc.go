// Package manage has the commands that ask a running FluidMCP, through its gateway, and tell it what to do.
//
//	client/       where it is, and how it is asked
//	complete.go   which models there are, for the tab key
//	logline.go    a line of a log, and how it is printed
//	crashes.go    how servers failed, for logs --crashes
//
// Each other file is a command.
package manage

import "github.com/spf13/cobra"

// Commands are ps, apply, start, stop, restart, logs and events.
func Commands() []*cobra.Command {
	return []*cobra.Command{newPs(), newApply(), newLifecycle("start"), newLifecycle("stop"), newRestart(), newLogs(), newEvents()}
}

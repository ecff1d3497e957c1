//go:build unix && !linux

package process

import "os/exec"

// awaitExit returns when the child has exited. It is reaped then, so until its group is killed, a moment later, the group's
// number could in theory become another's; only Linux offers a way around that.
func awaitExit(cmd *exec.Cmd) { _ = cmd.Wait() }

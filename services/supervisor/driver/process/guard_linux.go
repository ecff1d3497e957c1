package process

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// adopt makes processes below this one that lose their parent its children.
func adopt() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) } // every kernel since 3.4 does

// diesWithParent has the kernel kill the new process when the thread that starts it ends.
func diesWithParent(attr *syscall.SysProcAttr) *syscall.SysProcAttr {
	attr.Pdeathsig = syscall.SIGKILL
	return attr
}

// killGroup has nothing to do: what is left of the group is below this process, and the number of the group is free for others.
func killGroup(int) {}

package pinned

import (
	"fmt"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// Urgent lets the process and its children run before all others on their core, each until it has nothing to do (SCHED_FIFO), or as
// usual again. The system may not allow it.
func (p *Process) Urgent(on bool) error {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}
	if on {
		attr.Policy, attr.Priority = unix.SCHED_FIFO, 1
	}
	all, err := p.all()
	if err != nil {
		return err
	}
	for _, one := range all {
		threads, err := procfs.AllThreads(one.PID)
		if err != nil {
			continue // it has ended
		}
		for _, thread := range threads { // those that it starts later are as the one that starts them
			if err := unix.SchedSetAttr(thread.PID, &attr, 0); err != nil && err != unix.ESRCH { // a system call returns it bare
				return fmt.Errorf("set the priority of process %d: %w", one.PID, err)
			}
		}
	}
	return nil
}

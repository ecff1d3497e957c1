package proc

import (
	"fmt"
	"os"
	"strings"

	"github.com/prometheus/procfs"
)

// ID names a process as nothing else since the machine was booted.
type ID struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks after the boot, see starttime in proc_pid_stat(5); 0 where there is no /proc
}

// Of names the process that has the number now. It is false when there is none, or when it has ended and only waits to be reaped.
func Of(pid int) (ID, bool) {
	p, ok := stat(pid)
	return p.ID, ok
}

// Alive tells whether the process still runs.
func (id ID) Alive() bool {
	now, ok := Of(id.PID)
	return ok && now == id
}

// Signal sends a signal to this process and to none that got its number later.
func (id ID) Signal(sig os.Signal) {
	handle, err := os.FindProcess(id.PID) // where the kernel has them, a handle on the process itself
	if err != nil {
		return
	}
	if id.Alive() { // so what the handle is on is what is meant
		_ = handle.Signal(sig) // it fails when the process has ended
	}
	_ = handle.Release()
}

// Process is one line of a table.
type Process struct {
	ID
	Parent  int
	Session int    // number of its session, which is that of the process that began it
	Name    string // of the program, up to 15 bytes
}

// String shows the process to people.
func (p Process) String() string { return fmt.Sprintf("%s (pid %d)", p.Name, p.PID) }

func stat(pid int) (Process, bool) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return Process{}, false
	}
	one, runs, err := read(p)
	return one, runs && err == nil
}

// read tells of a process, and whether it runs or has ended and only waits to be reaped.
func read(p procfs.Proc) (one Process, runs bool, err error) {
	s, err := p.Stat()
	return Process{ID: ID{s.PID, s.Starttime}, Parent: s.PPID, Session: s.Session, Name: s.Comm}, !strings.Contains("ZX", s.State), err
}

// Table is all processes that run, by their numbers.
type Table map[int]Process

// Read returns the present table. It is not of one moment: processes begin and end while it is read.
func Read() Table {
	all, err := procfs.AllProcs()
	if err != nil {
		return nil
	}
	table := make(Table, len(all))
	ended := map[int]int{} // parents of those that have
	for _, p := range all {
		one, runs, err := read(p)
		switch {
		case err != nil: // it is gone
		case runs:
			table[one.PID] = one
		default:
			ended[one.PID] = one.Parent
		}
	}
	// A process seems to have ended with its first thread, and keeps its children until its last one has.
	for pid, one := range table {
		for range ended { // at most: there may be a circle, see Below
			above, ok := ended[one.Parent]
			if !ok {
				break
			}
			one.Parent = above
		}
		table[pid] = one
	}
	return table
}

// Below returns the processes that a process has started, theirs, and so on.
func (t Table) Below(pid int) []ID {
	var found []ID
	for _, p := range t {
		// A table of many moments may hold a circle, when a number was given away meanwhile.
		for parent, steps := p.Parent, 0; parent > 1 && steps < len(t); parent, steps = t[parent].Parent, steps+1 {
			if parent == pid {
				found = append(found, p.ID)
				break
			}
		}
	}
	return found
}

// Session returns the processes of a session.
func (t Table) Session(session int) []ID {
	var found []ID
	for _, p := range t {
		if p.Session == session {
			found = append(found, p.ID)
		}
	}
	return found
}

// Package proctest makes control groups for tests of what the kernel does when memory runs out.
package proctest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// patience is how long the processes of a group may take to be gone when its test is over. It only bounds a failure.
const patience = 20 * time.Second

// MemoryGroup makes a control group whose processes may use so many bytes together, without swap, and returns its folder. A process goes
// into it by its number in the file cgroup.procs there. The group goes with the test, which has to have ended what is in it. The test is
// skipped where no such group can be made, see cgroups(7).
func MemoryGroup(t testing.TB, bytes int) string {
	t.Helper()
	parent, limits := "/sys/fs/cgroup", []limit{{"memory.max", bytes}, {"memory.swap.max", 0}}
	if _, err := os.Stat("/sys/fs/cgroup/memory"); err == nil { // version 1
		parent, limits = "/sys/fs/cgroup/memory", []limit{{"memory.limit_in_bytes", bytes}, {"memory.memsw.limit_in_bytes", bytes}}
	}
	group, err := os.MkdirTemp(parent, "fluidmcp-test-")
	if err != nil {
		t.Skip("no control group can be made here: ", err)
	}
	t.Cleanup(func() { remove(t, group) })
	for i, l := range limits {
		err := os.WriteFile(filepath.Join(group, l.file), []byte(strconv.Itoa(l.value)), 0)
		switch {
		case err == nil:
		case i == 0:
			t.Skip("no memory can be limited here: ", err)
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission): // where there is no swap, there is no limit for it
			t.Log(err)
		}
	}
	return group
}

type limit struct {
	file  string
	value int
}

// remove waits for the end of what is in the group.
func remove(t testing.TB, group string) {
	t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if err = os.Remove(group); err == nil {
			return
		}
	}
	t.Errorf("a control group is left: %v", err)
}

// Package proctest makes control groups for tests of what the kernel does when memory runs out.
package proctest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
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
	parent := "/sys/fs/cgroup"
	if _, err := os.Stat(filepath.Join(parent, "memory")); err == nil { // version 1
		parent = filepath.Join(parent, "memory")
	}
	group, err := os.MkdirTemp(parent, "fluidmcp-test-")
	if err != nil {
		t.Skip("no control group can be made here: ", err)
	}
	t.Cleanup(func() { remove(t, group) })
	if err := Limit(group, bytes); err != nil {
		t.Skip("no memory can be limited here: ", err)
	}
	return group
}

// version says what the files of a group are called.
type version struct {
	limit string
	swap  string // in version 1 of memory and swap together, and never less than limit
	used  string
}

var (
	version1 = version{"memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.usage_in_bytes"}
	version2 = version{"memory.max", "memory.swap.max", "memory.current"}
)

func versionOf(group string) version {
	if _, err := os.Stat(filepath.Join(group, version2.limit)); err == nil {
		return version2
	}
	return version1
}

// Limit has the processes of a group use at most so many bytes together from now on, without swap.
func Limit(group string, bytes int) error {
	write := func(name string, bytes int) error {
		return os.WriteFile(filepath.Join(group, name), []byte(strconv.Itoa(bytes)), 0)
	}
	v := versionOf(group)
	swap := 0
	if v == version1 {
		swap = bytes
	}
	// Where there is no swap there may be no limit for it. A higher one has to come before the other, a lower one after it.
	_ = write(v.swap, swap)
	err := write(v.limit, bytes)
	_ = write(v.swap, swap)
	return err
}

// Used is how many bytes the processes of a group use together.
func Used(group string) (int, error) {
	text, err := os.ReadFile(filepath.Join(group, versionOf(group).used))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
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

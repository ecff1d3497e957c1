package process_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// TestKernelKillsForMemory has a control group with little memory, and a server in it that wants more.
func TestKernelKillsForMemory(t *testing.T) {
	group := memoryGroup(t, 64<<20)
	d := serverDriver(t, "eat")
	// The shell goes into the group and becomes the guard.
	d.Guard = []string{"sh", "-c", `echo $$ >"$0"; exec "$@"`, filepath.Join(group, "cgroup.procs"), self(t), "guard"}
	s, err := d.Start()
	if err != nil {
		t.Fatal(err)
	}
	if x := exit(t, s); !x.OOM || x.Signal != "killed" {
		t.Errorf("exit %+v", x)
	}
	if _, x := run(t, "kill -KILL $$", unchanged); x.OOM {
		t.Errorf("a kill by somebody else: %+v", x)
	}
}

// memoryGroup makes a control group that may use so many bytes, and removes it with the test.
func memoryGroup(t *testing.T, bytes int) string {
	t.Helper()
	parent, limit := "/sys/fs/cgroup", "memory.max"
	if _, err := os.Stat("/sys/fs/cgroup/memory"); err == nil {
		parent, limit = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
	}
	group, err := os.MkdirTemp(parent, "fluidmcp-test-")
	if err != nil {
		t.Skip("no control group can be made here: ", err)
	}
	t.Cleanup(func() {
		eventually(t, "the end of the control group", func() bool { return os.Remove(group) == nil })
	})
	err = os.WriteFile(filepath.Join(group, limit), []byte(strconv.Itoa(bytes)), 0)
	for _, swap := range []string{"memory.swap.max", "memory.memsw.limit_in_bytes"} { // where there is no swap, there is no limit for it
		value := "0"
		if swap == "memory.memsw.limit_in_bytes" {
			value = strconv.Itoa(bytes)
		}
		if swapErr := os.WriteFile(filepath.Join(group, swap), []byte(value), 0); swapErr != nil && !errors.Is(swapErr, os.ErrNotExist) && !errors.Is(swapErr, os.ErrPermission) {
			t.Log(swapErr)
		}
	}
	if err != nil {
		t.Skip("no memory can be limited here: ", err)
	}
	return group
}

package process_test

import (
	"path/filepath"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc/proctest"
)

// TestKernelKillsForMemory has a control group with little memory, and a server in it that wants more.
func TestKernelKillsForMemory(t *testing.T) {
	group := proctest.MemoryGroup(t, 64<<20)
	d := serverDriver(t, "eat")
	// The shell goes into the group and becomes the guard.
	d.Guard = []string{"sh", "-c", `echo $$ >"$0"; exec "$@"`, filepath.Join(group, "cgroup.procs"), self(t), "guard"}
	s, err := d.Start(t.Context())
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

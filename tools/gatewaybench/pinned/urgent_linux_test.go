package pinned_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestUrgent looks at the child of a process.
func TestUrgent(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	p := start(t, fmt.Sprintf(`sleep 60 & echo $! > %[1]s.new; mv %[1]s.new %[1]s; wait`, file))
	var text []byte
	for text == nil {
		text, _ = os.ReadFile(file)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for _, on := range []bool{true, false} {
		want := uint32(unix.SCHED_NORMAL)
		if on {
			want = unix.SCHED_FIFO
		}
		switch err := p.Urgent(on); {
		case errors.Is(err, unix.EPERM):
			t.Skip(err)
		case err != nil:
			t.Fatal(err)
		}
		got, err := unix.SchedGetAttr(child, 0)
		if err != nil || got.Policy != want {
			t.Errorf("urgent %t: policy %+v, %v", on, got, err)
		}
	}
	p.Stop()
	if err := p.Urgent(true); err != nil {
		t.Errorf("after its end: %v", err)
	}
}

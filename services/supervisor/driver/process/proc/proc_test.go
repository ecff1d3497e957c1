package proc_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc"
)

// headless is set for a process that begins a child and ends its first thread.
const headless = "PROC_TEST_HEADLESS"

func init() { runtime.LockOSThread() } // main is on the first thread

// TestMain skips all tests where there is no /proc.
func TestMain(m *testing.M) {
	if os.Getenv(headless) != "" {
		child := exec.Command("cat") // until this process ends
		if _, err := child.StdinPipe(); err != nil {
			panic(err)
		}
		if err := child.Start(); err != nil {
			panic(err)
		}
		fmt.Println(child.Process.Pid)
		_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT, 0, 0, 0)
	}
	if runtime.GOOS == "linux" {
		os.Exit(m.Run())
	}
}

func TestSelf(t *testing.T) {
	me, ok := proc.Of(os.Getpid())
	if !ok || me.PID != os.Getpid() || me.Start == 0 || !me.Alive() {
		t.Errorf("this process is %+v", me)
	}
	line := proc.Read()[os.Getpid()]
	if line.ID != me || line.Parent != os.Getppid() || line.Name == "" {
		t.Errorf("this process is %+v", line)
	}
	if _, ok := proc.Of(1 << 22); ok {
		t.Error("a number beyond the greatest is a process")
	}
	if boot := proc.Boot(); len(boot) < 36 || strings.Contains(boot, "\n") || boot != proc.Boot() {
		t.Errorf("the boot is %q", boot)
	}
}

// TestSignalMeansOneProcess aims at the number of a child with another start, and then at the child.
func TestSignalMeansOneProcess(t *testing.T) {
	child := exec.Command("sleep", "600")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	id, ok := proc.Of(child.Process.Pid)
	if !ok {
		t.Fatal("the child is not there")
	}
	if below := proc.Read().Below(os.Getpid()); len(below) != 1 || below[0] != id {
		t.Errorf("below this process there is %v, want %v", below, id)
	}
	proc.ID{PID: id.PID, Start: id.Start + 1}.Signal(syscall.SIGKILL)
	proc.ID{PID: 1 << 22, Start: 1}.Signal(syscall.SIGKILL)
	id.Signal(syscall.SIGTERM)
	_ = child.Wait()
	if status := child.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGTERM {
		t.Errorf("the child has ended by %v", status.Signal())
	}
	if id.Alive() {
		t.Error("it lives on")
	}
}

// TestFirstThreadEnds: what a process has begun is below it, and below its parents, when its first thread has ended and others go on.
func TestFirstThreadEnds(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), headless+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = parent.Process.Kill()
		_ = parent.Wait()
	}()
	var child int
	if _, err := fmt.Fscan(out, &child); err != nil {
		t.Fatal(err)
	}
	for { // ends with the test's time
		if _, runs := proc.Of(parent.Process.Pid); !runs {
			break
		}
		time.Sleep(time.Millisecond)
	}
	table := proc.Read()
	if below := table.Below(os.Getpid()); len(below) != 1 || below[0].PID != child {
		t.Errorf("below this process there is %v, want its grandchild %d: %+v", below, child, table[child])
	}
}

func TestListeners(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		ln, err := net.Listen("tcp", at)
		if err != nil {
			t.Logf("nobody can listen on %s here: %v", at, err)
			continue
		}
		port := ln.Addr().(*net.TCPAddr).Port
		sockets := proc.Listeners(port)
		if p, ok := proc.Read().Holder(sockets); len(sockets) != 1 || !ok || p.PID != os.Getpid() {
			t.Errorf("%s: sockets %v, held by %v", at, sockets, p)
		}
		_ = ln.Close()
		if left := proc.Listeners(port); left != nil {
			t.Errorf("%s: sockets %v once it is closed", at, left)
		}
	}
	if _, ok := proc.Read().Holder(nil); ok {
		t.Error("somebody holds nothing")
	}
}

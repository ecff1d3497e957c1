package process_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
)

// TestMain makes this binary what the tests need as a process: a server, a guard, or a supervisor to be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "server":
			server(os.Args[2:])
			return
		case "guard":
			if err := process.RunGuard(os.Stdin); err != nil {
				panic(err)
			}
			return
		case "supervisor":
			supervise(os.Args[2:])
			return
		}
	}
	// Under the race detector a program sleeps a second before it exits, unless told not to; the children inherit this.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// server prints its pid and waits for signals. With "child" it starts another one in its group first; with "deaf" they ignore
// SIGTERM.
func server(args []string) {
	deaf := false
	for _, arg := range args {
		switch arg {
		case "deaf":
			deaf = true
			signal.Ignore(syscall.SIGTERM)
		case "child":
			child := exec.Command(os.Args[0], "server", "grandchild")
			if deaf {
				child.Args = append(child.Args, "deaf")
			}
			child.Stdout = os.Stdout
			if err := child.Start(); err != nil {
				panic(err)
			}
		}
	}
	fmt.Println("pid", os.Getpid())
	<-make(chan struct{}) // the default action of SIGTERM ends it
}

// supervise runs one server with a guard, tells its output on, and waits to be killed.
func supervise(args []string) {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	guard := process.NewGuard([]string{self, "guard"}, zap.NewNop())
	if err := guard.Start(); err != nil {
		panic(err)
	}
	driver := process.Driver{Argv: append([]string{self, "server"}, args...), Output: os.Stdout, Guard: guard}
	s, err := driver.Start()
	if err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	<-s.Done()
}

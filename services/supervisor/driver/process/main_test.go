package process_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"testing"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/ledger"
)

// TestMain makes this binary what the tests need as a process: a server, a guard, or a supervisor to be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "server":
			server(os.Args[2:])
			return
		case "guard":
			if err := process.RunGuard(os.Args[2:]); err != nil {
				panic(err)
			}
			return
		case "supervisor":
			supervise(os.Args[2], os.Args[3:])
			return
		}
	}
	// Under the race detector a program sleeps a second before it exits, unless told not to; the children inherit this.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// server prints its pid and waits for signals. Before that "child" starts another one in its group, and "daemon" one that leaves the
// session and loses its parent. With "deaf" all of them ignore SIGTERM; "listen" is followed by an address to listen on,
// and "eat" takes all memory that there is.
func server(args []string) {
	deaf := slices.Contains(args, "deaf")
	if deaf {
		signal.Ignore(syscall.SIGTERM)
	}
	for i, arg := range args {
		switch arg {
		case "child":
			spawn(deaf, false, "server")
		case "daemon":
			spawn(deaf, true, "server", "fork")
		case "fork": // the parent that a daemon loses
			spawn(deaf, false, "server")
			return
		case "eat":
			for hunger := range 4096 { // much more than the test lets it have
				memory = append(memory, bytes.Repeat([]byte{byte(hunger)}, 1<<20))
			}
		case "listen":
			if _, err := net.Listen("tcp", args[i+1]); err != nil {
				panic(err)
			}
		}
	}
	fmt.Println("pid", os.Getpid())
	<-make(chan struct{}) // the default action of SIGTERM ends it
}

// memory is what a hungry server has.
var memory [][]byte

func spawn(deaf, session bool, args ...string) {
	child := exec.Command(os.Args[0], args...)
	if deaf {
		child.Args = append(child.Args, "deaf")
	}
	child.Stdout = os.Stdout
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: session}
	if err := child.Start(); err != nil {
		panic(err)
	}
}

// supervise runs one server, writes a ledger and tells its output on. For each line that it reads it looks at the server's processes
// and says which process that is.
func supervise(path string, args []string) {
	book := ledger.Open(path, zap.NewNop())
	driver := process.Driver{
		Argv: append([]string{os.Args[0], "server"}, args...), Output: os.Stdout, Guard: []string{os.Args[0], "guard"}, Ledger: book, Name: "m-0",
	}
	s, err := driver.Start(context.Background())
	if err != nil {
		panic(err)
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		book.Look("m-0")
		fmt.Println("server", s.PID())
	}
	<-s.Done()
}

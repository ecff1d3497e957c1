package process

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process/proc"
)

// GuardGrace is how long after the death of its supervisor a model server may live on: SIGTERM comes at once, SIGKILL a little
// before the time is over.
const GuardGrace = 2 * time.Second

const (
	guardTerm = GuardGrace - 500*time.Millisecond
	guardPoll = 10 * time.Millisecond // between two looks at what is still to be killed
	// oomWindow is how long before the end of a server the kernel may have killed something for memory that the end is put down to it.
	oomWindow = 10 * time.Second
)

// guard is the parent of one model server.
//
//	supervisor ──orders──► guard ──starts──► model server ──► its workers
//	           ◄─reports──       ◄─adopts what lost its parent─┘
//
// It does nothing until the server ends, an order comes, or the pipe with the orders ends, because the supervisor is dead. If it
// is killed itself, the kernel kills the server.
type guard struct {
	server   int            // pid, and number of its session and group; 0 once it was reaped
	children chan os.Signal // SIGCHLD: somebody may be reaped
	orders   chan time.Duration
	oomKills uint64 // a little while ago
	ended    exit   // of the server
}

// RunGuard is the body of the guard process. It runs a command, with the orders on standard input and the reports on the file
// with number 3, and returns once nothing is left of it.
func RunGuard(argv []string) error {
	reports := os.NewFile(reportFile, "reports")
	if info, err := reports.Stat(); err != nil || info.Mode()&fs.ModeNamedPipe == 0 || len(argv) == 0 {
		return errors.New("guard: it is started by a supervisor, as the parent of a model server, and by nobody else")
	}
	syscall.CloseOnExec(reportFile)
	defer reports.Close()
	// What a terminal or a service manager sends to everybody ends neither the guard nor, before its drain, the server. The
	// signals are caught and not ignored, because the server would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	g := &guard{children: make(chan os.Signal, 1), orders: make(chan time.Duration)}
	signal.Notify(g.children, syscall.SIGCHLD)
	runtime.LockOSThread() // for life: to the kernel it is this thread that is the server's parent
	adopt()
	raiseLimits()

	var err error
	if g.server, err = spawn(argv); err != nil {
		return send(reports, report{Fault: err.Error(), Permanent: hopeless(err)})
	}
	id, _ := proc.Of(g.server) // a server that is dead by now is told of all the same
	id.PID = g.server
	if err := send(reports, report{Started: &id}); err != nil {
		g.order(syscall.SIGKILL) // nobody would know of it
	}
	go g.listen(os.Stdin)
	g.watch()
	g.clear()
	_ = send(reports, report{Ended: &g.ended}) // fails when the supervisor is dead
	return nil
}

// spawn starts the command in a session of its own and returns its pid.
func spawn(argv []string) (int, error) {
	path, err := exec.LookPath(argv[0])
	if err != nil && !errors.Is(err, exec.ErrDot) { // a name without a slash is looked up as everywhere, the working directory included
		return 0, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	pid, err := syscall.ForkExec(path, argv, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{null.Fd(), os.Stdout.Fd(), os.Stderr.Fd()},
		Sys:   diesWithParent(&syscall.SysProcAttr{Setsid: true}),
	})
	if err != nil {
		return 0, &fs.PathError{Op: "execute", Path: path, Err: err}
	}
	return pid, nil
}

// hopeless tells whether a command that could not be started cannot be started later either.
func hopeless(err error) bool {
	return errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOEXEC)
}

// listen passes on what the supervisor orders: each line is the time that the server has left. When there will be no more orders
// the server has what is left for an orphan.
func (g *guard) listen(orders io.Reader) {
	for lines := bufio.NewScanner(orders); lines.Scan(); {
		if grace, err := time.ParseDuration(lines.Text()); err == nil {
			g.orders <- grace
		}
	}
	g.orders <- guardTerm
}

// watch returns once the server has been reaped, which it sees to when the supervisor wants it.
func (g *guard) watch() {
	var over <-chan time.Time
	look := time.NewTicker(oomWindow)
	defer look.Stop()
	g.oomKills = proc.OOMKills()
	for g.server != 0 {
		select {
		case <-g.children:
			g.reap()
		case grace := <-g.orders:
			if over == nil {
				g.order(syscall.SIGTERM)
			}
			over = time.After(grace)
		case <-over:
			g.order(syscall.SIGKILL)
		case <-look.C:
			g.oomKills = proc.OOMKills()
		}
	}
}

// order signals the group of the server, which is there because its first process has not been reaped.
func (g *guard) order(sig syscall.Signal) { _ = syscall.Kill(-g.server, sig) }

// reap takes in the children that have ended, the server among them, and tells whether none is left.
func (g *guard) reap() bool {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return true
		case pid == 0:
			return false
		case pid == g.server:
			g.server, g.ended = 0, exitOf(status)
			g.ended.OOM = proc.OOMKills() > g.oomKills
			killGroup(pid)
		}
	}
}

// clear kills what the server has left behind. All of it is below this process, whatever group or session it is in.
func (g *guard) clear() {
	for !g.reap() {
		for _, left := range proc.Read().Below(os.Getpid()) {
			left.Signal(syscall.SIGKILL)
		}
		select {
		case <-g.children:
		case <-time.After(guardPoll):
		case <-g.orders: // it cannot go faster
		}
	}
}

func exitOf(status syscall.WaitStatus) exit {
	if status.Signaled() {
		return exit{Code: 128 + int(status.Signal()), Signal: status.Signal().String()}
	}
	return exit{Code: status.ExitStatus()}
}

// raiseLimits lets the server open as many files as an administrator allows, up to what vLLM asks for: each connection is one, and
// most systems begin with 1024. And it leaves no core dump unless it asks for one itself: that would be the size of its memory.
func raiseLimits() {
	const files = 65535
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		limit.Cur = min(limit.Max, files)
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) // the server then says itself what it lacks
	}
	if syscall.Getrlimit(syscall.RLIMIT_CORE, &limit) == nil {
		limit.Cur = 0
		_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &limit)
	}
}

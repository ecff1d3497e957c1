package process

import (
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// guardPause is the wait before a guard that has ended is replaced, so that one that cannot run does not keep a core busy.
const guardPause = 100 * time.Millisecond

// Guard is this process's end of the guard. A nil Guard guards nothing.
type Guard struct {
	argv  []string
	log   *zap.Logger
	watch sync.WaitGroup // for the goroutine that keeps a guard process there
	ended chan struct{}  // closed by Close

	mu     sync.Mutex
	groups map[int]bool
	pipe   io.WriteCloser // to the present guard process
}

// NewGuard returns a guard that runs argv once started. That process has to call RunGuard with its standard input.
func NewGuard(argv []string, log *zap.Logger) *Guard {
	return &Guard{argv: argv, log: log, groups: map[int]bool{}, ended: make(chan struct{})}
}

// Start starts the guard process, and another whenever one ends. Close ends it.
func (g *Guard) Start() error {
	if g == nil {
		return nil
	}
	cmd, err := g.start()
	if err != nil {
		return err
	}
	g.watch.Go(func() { g.keep(cmd) })
	return nil
}

// start starts a guard process and tells it of all groups.
func (g *Guard) start() (*exec.Cmd, error) {
	cmd := exec.Command(g.argv[0], g.argv[1:]...)
	cmd.Env = environment(os.Environ(), nil)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C at the terminal is not for it
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start guard: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start guard: %w", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pipe = pipe
	for _, group := range slices.Sorted(maps.Keys(g.groups)) {
		g.tell("+%d\n", group)
	}
	return cmd, nil
}

// keep waits for the guard process to end and replaces it, until Close.
func (g *Guard) keep(cmd *exec.Cmd) {
	for {
		g.await(cmd)
		select {
		case <-g.ended:
			return
		case <-time.After(guardPause):
		}
		next, err := g.start()
		if err != nil {
			g.log.Error("models would survive a kill of this process", zap.Error(err))
			continue
		}
		g.log.Warn("guard was gone and has been replaced", zap.Int("pid", next.Process.Pid))
		cmd = next
	}
}

// await returns when the process has ended; Close closes its pipe for that.
func (g *Guard) await(cmd *exec.Cmd) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = cmd.Wait() // however it ended; a second call returns at once
	}()
	select {
	case <-over:
		return
	case <-g.ended:
	}
	g.mu.Lock()
	_ = g.pipe.Close()
	g.mu.Unlock()
	<-over
}

func (g *Guard) add(group int) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.groups[group] = true
	g.tell("+%d\n", group)
}

func (g *Guard) remove(group int) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.groups, group)
	g.tell("-%d\n", group)
}

// tell sends one line. When that fails the guard is gone, and its successor will be told all.
func (g *Guard) tell(format string, group int) { _, _ = fmt.Fprintf(g.pipe, format, group) }

// Close ends the guard, which ends the groups that it still knows of, and waits for it.
func (g *Guard) Close() {
	if g == nil {
		return
	}
	close(g.ended)
	g.watch.Wait()
}

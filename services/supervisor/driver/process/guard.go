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

	"go.uber.org/zap"
)

// Guard is this process's end of the guard. A nil Guard guards nothing.
type Guard struct {
	argv []string
	log  *zap.Logger

	mu     sync.Mutex
	groups map[int]bool
	pipe   io.WriteCloser
	cmd    *exec.Cmd
}

// NewGuard returns a guard that runs argv once started. That process has to call RunGuard with its standard input.
func NewGuard(argv []string, log *zap.Logger) *Guard {
	return &Guard{argv: argv, log: log, groups: map[int]bool{}}
}

// Start starts the guard process. Close ends it.
func (g *Guard) Start() error {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.start()
}

func (g *Guard) start() error {
	cmd := exec.Command(g.argv[0], g.argv[1:]...)
	cmd.Env = environment(os.Environ(), nil)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C at the terminal is not for it
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start guard: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start guard: %w", err)
	}
	g.cmd, g.pipe = cmd, pipe
	return nil
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

// tell sends one line. A guard that is gone is replaced by one that is told of all groups.
func (g *Guard) tell(format string, group int) {
	if _, err := fmt.Fprintf(g.pipe, format, group); err == nil {
		return
	}
	g.log.Warn("guard is gone, starting another", zap.Int("pid", g.cmd.Process.Pid))
	g.end()
	if err := g.start(); err != nil {
		g.log.Error("no guard: models would survive a kill of this process", zap.Error(err))
		return
	}
	for _, group := range slices.Sorted(maps.Keys(g.groups)) {
		_, _ = fmt.Fprintf(g.pipe, "+%d\n", group) // if it is gone again, the next line finds out
	}
}

func (g *Guard) end() {
	_ = g.pipe.Close()
	_ = g.cmd.Wait()
}

// Close ends the guard, which ends the groups that it still knows of, and waits for it.
func (g *Guard) Close() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.end()
}

package process

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// GuardGrace is how long after the death of its supervisor a model server may live on: SIGTERM comes at once, SIGKILL a little
// before the time is over.
const GuardGrace = 2 * time.Second

const (
	guardTerm = GuardGrace - 500*time.Millisecond
	guardPoll = 20 * time.Millisecond
)

// RunGuard is the body of the guard process: it reads "+GROUP" and "-GROUP" lines until r ends and then ends the groups that
// are left. Signals that a terminal or a service manager sends to everybody do not end it before that.
func RunGuard(r io.Reader) error {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	groups := map[int]bool{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if err := note(groups, lines.Text()); err != nil {
			return err
		}
	}
	// An error of r means the same as its end: nobody is there any more.
	endGroups(slices.Collect(maps.Keys(groups)))
	return nil
}

func note(groups map[int]bool, line string) error {
	var sign rune
	var group int
	if _, err := fmt.Sscanf(line, "%c%d", &sign, &group); err != nil || group <= 1 || sign != '+' && sign != '-' {
		return fmt.Errorf("guard: line %q is neither +GROUP nor -GROUP; this command is for the supervisor's use", line)
	}
	if sign == '-' {
		delete(groups, group)
		return nil
	}
	groups[group] = true
	return nil
}

func endGroups(groups []int) {
	for _, group := range groups {
		signalGroup(group, syscall.SIGTERM)
	}
	for deadline := time.Now().Add(guardTerm); time.Now().Before(deadline); time.Sleep(guardPoll) {
		groups = slices.DeleteFunc(groups, gone)
		if len(groups) == 0 {
			return
		}
	}
	for _, group := range groups {
		signalGroup(group, syscall.SIGKILL)
	}
}

// gone tells whether no process is left in the group. Zombies count as processes until somebody reaps them.
func gone(group int) bool { return syscall.Kill(-group, 0) == syscall.ESRCH }

package guide

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Runner is a reader with a machine.
type Runner struct {
	Dir     string             // where every guide begins: a fresh copy of the repository
	Work    string             // an empty folder for the runner itself
	Env     []string           // of a new terminal
	Network *Network           // for the guide alone; nil is the machine's
	Needs   map[string]Prepare // what there is, with what prepares it; nil for nothing
	Log     func(format string, args ...any)

	ready     map[string]func() // what has been prepared, with what ends that
	shell     *shell
	terminals map[string]*terminal
	order     []string // of terminals
}

// Prepare makes what a block needs ready. What it returns ends that, at the next block that has no need of it.
type Prepare func() (release func(), err error)

// Run does what the blocks say. It returns the first thing that goes another way than the guide says, and leaves nothing
// behind.
func (r *Runner) Run(ctx context.Context, blocks []Block) (err error) {
	if r.shell, err = newShell(ctx, r); err != nil {
		return err
	}
	r.terminals, r.ready = map[string]*terminal{}, map[string]func(){}
	defer func() {
		r.release(nil)
		for i := len(r.order) - 1; i >= 0; i-- {
			err = errors.Join(err, r.interrupt(r.order[i]))
		}
		r.shell.close()
	}()
	var last step
	for _, b := range blocks {
		if last, err = r.step(ctx, b, last); err != nil {
			return fmt.Errorf("line %d: %w", b.Line, err)
		}
	}
	return nil
}

// step is what an output block looks back at.
type step struct {
	output   string
	terminal string
	skipped  bool
}

func (r *Runner) step(ctx context.Context, b Block, last step) (step, error) {
	switch b.Kind {
	case File:
		return step{}, r.save(b)
	case Output:
		return last, r.look(ctx, b, last)
	}
	if err := r.interrupt(b.End); err != nil {
		return step{}, err
	}
	for _, need := range b.Needs {
		if _, ok := r.Needs[need]; !ok {
			r.Log("line %d: only the syntax is checked, for want of %s:\n%s", b.Line, need, indent(b.Text))
			return step{skipped: true}, syntax(ctx, b.Text)
		}
	}
	r.release(b.Needs)
	for _, need := range b.Needs {
		if err := r.prepare(need); err != nil {
			return step{}, fmt.Errorf("prepare %s: %w", need, err)
		}
	}
	if b.Terminal != "" {
		return step{terminal: b.Terminal}, r.background(ctx, b)
	}
	run := r.shell.run
	if slices.Contains(b.Needs, "internet") {
		run = r.shell.runOutside
	}
	output, err := run(ctx, b.Text)
	if err != nil {
		err = fmt.Errorf("%w:\n%s\nprinted\n%s", err, indent(b.Text), indent(output))
	}
	return step{output: output}, err
}

func (r *Runner) prepare(need string) error {
	if r.Needs[need] == nil || r.ready[need] != nil {
		return nil
	}
	release, err := r.Needs[need]()
	if err == nil {
		r.ready[need] = release
	}
	return err
}

// release ends what has been prepared, except for what is still needed.
func (r *Runner) release(needs []string) {
	for need, release := range r.ready {
		if !slices.Contains(needs, need) {
			release()
			delete(r.ready, need)
		}
	}
}

func (r *Runner) save(b Block) error {
	path := filepath.Join(r.shell.dir, b.File)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(b.Text), 0o600)
}

// look compares an output with what came, or waits for it where a program runs on.
func (r *Runner) look(ctx context.Context, b Block, last step) error {
	name := b.Terminal
	if name == "" {
		name = last.terminal
	}
	switch {
	case name == "" && last.skipped:
		return nil
	case name == "":
		return compare(b.Text, last.output)
	case r.terminals[name] == nil:
		return fmt.Errorf("nothing runs in the terminal %q", name)
	}
	return r.terminals[name].await(ctx, b.Text)
}

func (r *Runner) background(ctx context.Context, b Block) error {
	if r.terminals[b.Terminal] == nil {
		r.order = append(r.order, b.Terminal)
	}
	if err := r.interrupt(b.Terminal); err != nil {
		return err
	}
	t, err := r.open(ctx, b.Terminal, r.shell.dir, b.Text)
	r.terminals[b.Terminal] = t
	return err
}

// interrupt presses Ctrl-C in a terminal, if something runs there.
func (r *Runner) interrupt(name string) error {
	t := r.terminals[name]
	if t == nil {
		return nil
	}
	r.terminals[name] = nil
	if err := t.interrupt(); err != nil {
		return fmt.Errorf("the program in the terminal %q: %w", name, err)
	}
	return nil
}

func syntax(ctx context.Context, block string) error {
	cmd := exec.CommandContext(ctx, "bash", "-n")
	cmd.Stdin = strings.NewReader(block)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

package run

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

var errHungUp = errors.New("the terminal was closed")

// onHangup calls reload for each SIGHUP until ctx ends. The signal means two things: a person wants the models file to be read again,
// or the terminal is gone, and what ran in it should go as well; then the error is errHungUp.
func onHangup(ctx context.Context, reload func()) error {
	terminal := terminalOf(os.Stdin, os.Stdout, os.Stderr)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	defer signal.Stop(signals)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-signals:
			if terminal != nil && !term.IsTerminal(int(terminal.Fd())) { // it answers no more
				return errHungUp
			}
			reload()
		}
	}
}

// terminalOf is the first of the files that is a terminal, or nil.
func terminalOf(files ...*os.File) *os.File {
	for _, f := range files {
		if term.IsTerminal(int(f.Fd())) {
			return f
		}
	}
	return nil
}

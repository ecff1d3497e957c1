package mockvllm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
)

// workerCommand is the hidden command of the process that stands for vLLM's engine. It does nothing, and ends only when it is killed:
// what a real server leaves behind when it is killed itself does so, too.
const workerCommand = "worker"

func work() error {
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	<-make(chan struct{})
	return nil
}

// startWorker starts this program as a worker. command is what begins at "serve". The engine dies with the worker, unless that is
// ended by the function returned.
func (s *Server) startWorker(command int) (end func(), err error) {
	self := os.Args[:max(1, len(os.Args)-command)] // with what may stand before serve, as in `fluidmcp mockvllm serve`
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, self[0], append(self[1:len(self):len(self)], workerCommand)...) //nolint:gosec // it is this program itself
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	s.console.Info("core.py:113", "Worker process %d is up", cmd.Process.Pid)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // however it ended
		if ctx.Err() == nil {
			s.life.Die(faults.Killed)
		}
	}()
	return func() {
		cancel()
		<-ended
	}, nil
}

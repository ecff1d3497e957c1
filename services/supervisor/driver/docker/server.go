package docker

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/services/supervisor/engine"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// server is one run of a container.
type server struct {
	*Driver
	id    string
	begun time.Time // of this run, by the engine
	tty   bool
	done  chan unit.Exit
	stop  sync.Once
	life  context.Context // of the run, as far as it is known: what was asked for it must not hit the next one
	over  context.CancelFunc
	leave context.CancelFunc
	left  chan struct{} // closed when it is not watched any more
}

var _ runner.Leaver = (*server)(nil)

// PID is 0: the process is one of the engine's machine.
func (*server) PID() int { return 0 }

func (s *server) Done() <-chan unit.Exit { return s.done }

// Stop begins to end the container, and does not give up while it runs.
func (s *server) Stop() {
	s.stop.Do(func() { s.Session.works.Go(func() { s.terminate(s.life) }) })
}

// Leave implements runner.Leaver. Somebody else may watch the container from then on.
func (s *server) Leave() {
	s.leave()
	<-s.left
}

// terminate asks for an end in good order until there was time for one, and then by SIGKILL.
func (s *server) terminate(ctx context.Context) {
	grace, begin := cmp.Or(s.Grace, Grace), time.Now()
	s.Session.insist(ctx, "stop", s.Name, func() error {
		var err error
		if time.Since(begin) <= grace {
			err = s.Session.engine.Stop(ctx, s.id, grace)
		} else {
			err = s.Session.engine.Kill(ctx, s.id)
		}
		if engine.NotFound(err) {
			return nil
		}
		return err
	})
}

// run sees the container to its end, or until it is left.
func (s *server) run(ctx context.Context, since time.Time) {
	defer close(s.left)
	defer s.leave()
	listening, deaf := context.WithCancel(ctx)
	defer deaf()
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		s.listen(listening, since)
	}()
	exit, ended := s.await(ctx)
	s.over()
	if ended {
		select {
		case <-heard:
		case <-time.After(outputGrace):
		}
	}
	deaf()
	<-heard
	if ended {
		s.done <- exit
	}
}

// await returns how the run ended, or false when the session ended first. While the engine cannot be asked it goes on asking: the
// container may well run, and its server is asked for its health by others.
func (s *server) await(ctx context.Context) (exit unit.Exit, ended bool) {
	ended = s.Session.insist(ctx, "watch", s.Name, func() error {
		code, err := s.Session.engine.Wait(ctx, s.id, func() error { return s.same(ctx) })
		switch {
		case err == nil:
			exit = s.autopsy(ctx, code)
		case errors.Is(err, errGone), engine.NotFound(err):
			exit = exitOf(unit.Unseen, false)
		default:
			return err
		}
		return nil
	})
	return exit, ended
}

// errGone says that the run is over, and that nobody knows how it ended.
var errGone = errors.New("the container runs anew")

// same looks whether the engine waits for the end of this run and not of the next one, which it may have begun itself.
func (s *server) same(ctx context.Context) error {
	now, err := s.Session.engine.Inspect(ctx, s.id)
	if err == nil && !now.State.StartedAt.Equal(s.begun) {
		s.takeOver(ctx, now)
		return errGone
	}
	return err
}

// autopsy adds to an exit code what the engine knows besides.
func (s *server) autopsy(ctx context.Context, code int) unit.Exit {
	now, err := s.Session.engine.Inspect(ctx, s.id)
	if err != nil {
		return exitOf(code, false)
	}
	s.takeOver(ctx, now)
	return exitOf(code, now.State.OOMKilled)
}

// takeOver takes the starting from the engine's restart policy, if the container has one: two that start it would hide from each other how
// often it failed, and neither would give up. (Engine 20.10 tells of such an exit only once it has restarted the container.)
func (s *server) takeOver(ctx context.Context, now engine.Container) {
	again := now.State.Running && now.RestartCount > 0 && !now.State.StartedAt.Equal(s.begun)
	if !now.State.Restarting && !again {
		return
	}
	if err := s.Session.engine.Stop(ctx, s.id, 0); err != nil {
		s.Session.log.Warn("container is restarted by the engine too", zap.String("container", s.Name), zap.Error(err))
	}
}

// exitOf is an exit as shells count them. Whether a signal ended the server or it exited with such a code, the engine does not tell.
func exitOf(code int, oom bool) unit.Exit {
	exit := unit.Exit{Code: code, OOM: oom, At: time.Now()}
	if code > 128 && code <= 128+64 {
		exit.Signal = syscall.Signal(code - 128).String()
	}
	return exit
}

package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fluidmcp/fluidmcp/services/supervisor/engine"
)

// past is how many lines are read of the time before the supervisor began to listen.
const past = 10_000

// listen passes the log on, from since until the run ends. After a connection that broke it goes on where that left off, by the clock.
func (s *server) listen(ctx context.Context, since time.Time) {
	to := &timed{to: s.Output, last: since}
	s.Session.insist(ctx, "hear", s.Name, func() error {
		err := s.copyLog(ctx, to)
		if no, ok := errors.AsType[*engine.Error](err); ok { // such as a log driver that only writes
			fmt.Fprintf(s.Output, "[fluidmcp] the log of container %s cannot be read: %s\n", s.Name, no.Message)
			return nil
		}
		return err
	})
}

// copyLog passes the log on as it comes. It returns nil at its end, which is that of the run.
func (s *server) copyLog(ctx context.Context, to *timed) error {
	log, err := s.Session.engine.Logs(ctx, s.id, engine.Listen{Since: to.last, Tail: past, Follow: true})
	if err != nil {
		return err
	}
	defer log.Close()
	if s.tty {
		_, err = io.Copy(to, log)
		return err
	}
	return engine.Demultiplex(to, log)
}

// timed notes when something last came.
type timed struct {
	to   io.Writer
	last time.Time
}

func (t *timed) Write(p []byte) (int, error) {
	t.last = time.Now()
	return t.to.Write(p)
}

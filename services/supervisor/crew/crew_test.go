package crew

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/services/supervisor/board"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/runner"
	"github.com/fluidmcp/fluidmcp/services/supervisor/unit"
)

// model has one server, whose unit tells the board how it is.
func model(b *board.Board, id string, drain func(), needs ...string) *board.Model {
	m := &board.Model{ID: id, Model: manifest.Model{DependsOn: needs}}
	i := board.NewInstance(m, manifest.Instance{ID: id + "-0"})
	i.Runner = runner.New(runner.Config{Policy: unit.Policy{Restart: true, StartTimeout: time.Hour, StallTimeout: time.Hour}, Driver: server{},
		Probe: func(context.Context, bool) error { return nil }, Drain: func(context.Context) { drain() },
		Changed: func(now unit.Status) { b.Update(i, now, nil) }, Launching: func(unit.Reason) {}, Jitter: func() float64 { return 0 }, ProbeStarting: time.Second, ProbeReady: time.Second})
	m.Servers = []*board.Instance{i}
	return m
}

// server starts at once, is ready at once and ends when it is told to.
type server struct{ done chan unit.Exit }

func (server) Start(context.Context) (runner.Server, error) {
	return server{make(chan unit.Exit, 1)}, nil
}
func (server) PID() int                 { return 1 }
func (s server) Done() <-chan unit.Exit { return s.done }
func (s server) Stop()                  { s.done <- unit.Exit{At: time.Now()} }

// TestUnitsComeAndGoWhileTheCrewWorks: before and after, nothing begins.
func TestUnitsComeAndGoWhileTheCrewWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b := New(), board.New()
		first, late, never := model(b, "first", func() {}), model(b, "late", func() {}), model(b, "never", func() {})
		b.Begin([]*board.Model{first})
		require.False(t, c.Open())
		require.False(t, c.Begin(late.Servers[0]))

		ctx, stop := context.WithCancel(t.Context())
		var work sync.WaitGroup
		ending := 0
		work.Go(func() { c.Work(ctx, b, func() { ending++ }) })
		require.True(t, c.Opened(ctx))
		require.True(t, c.Open())
		b.Put(late)
		require.True(t, c.Begin(late.Servers[0]))
		over := make(chan struct{})
		c.After(late.Servers[0], func() { close(over) })
		late.Servers[0].End(unit.Removed)
		<-over
		require.True(t, late.Servers[0].Over())
		require.False(t, first.Servers[0].Over())

		stop()
		work.Wait()
		require.Equal(t, 1, ending)
		require.True(t, first.Servers[0].Over())
		require.False(t, c.Begin(never.Servers[0]))
		c.beside(func() { t.Error("something began after the end") })
	})
}

// TestWhatIsNeededEndsLast has a model at the end wait for the one that depends on it.
func TestWhatIsNeededEndsLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b := New(), board.New()
		var base, top *board.Model
		base = model(b, "base", func() {})
		drained := 0
		top = model(b, "top", func() {
			time.Sleep(time.Second)
			drained++
			if base.Servers[0].Over() {
				t.Error("a model ended before the one that needs it")
			}
		}, "base")
		b.Begin([]*board.Model{base, top})
		ctx, stop := context.WithCancel(t.Context())
		var work sync.WaitGroup
		work.Go(func() { c.Work(ctx, b, func() {}) })
		require.True(t, c.Opened(ctx))
		time.Sleep(time.Minute)
		require.True(t, b.Status(top.Servers[0]).Routable())
		stop()
		work.Wait()
		require.Equal(t, 1, drained)
		require.True(t, top.Servers[0].Over())
		require.True(t, base.Servers[0].Over())
	})
}

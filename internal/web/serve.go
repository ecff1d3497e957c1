package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// afterStreams is how long Serve waits for handlers to notice that their streams were ended. http.Server.Shutdown
// polls its connections up to 500 ms apart, so less would cut answers that are just being closed.
const afterStreams = time.Second

// ErrStopping is the cause of a request's context (context.Cause) that Serve ended. A client that left leaves another.
var ErrStopping = errors.New("the server is stopping")

// Serve answers on ln until ctx ends. Then it closes the listener, lets requests in flight finish for up to grace,
// ends the contexts of those that are left with ErrStopping, and returns nil when the server stopped as asked.
func Serve(ctx context.Context, ln net.Listener, h http.Handler, grace time.Duration) error {
	base, end := context.WithCancelCause(context.WithoutCancel(ctx))
	endRequests := func() { end(ErrStopping) }
	defer endRequests()
	var fresh Unused
	srv := &http.Server{
		Handler:           h,
		ConnState:         fresh.Track,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		BaseContext:       func(net.Listener) context.Context { return base },
	}
	srv.RegisterOnShutdown(fresh.Close) // runs once the listener is closed
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve %s: %w", ln.Addr(), err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		defer time.AfterFunc(grace, endRequests).Stop()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace+afterStreams)
		defer cancel()
		if err := srv.Shutdown(drain); err != nil {
			return errors.Join(fmt.Errorf("drain %s within %s: %w", ln.Addr(), grace, err), srv.Close())
		}
		return nil
	})
	return g.Wait()
}

package reqctx_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/reqctx"
)

type key struct{}

var (
	errAbove = errors.New("the one above ended")
	errOwn   = errors.New("it ended by itself")
)

// following is a Context below parent.
func following(parent context.Context) *reqctx.Context {
	c := &reqctx.Context{}
	c.Follow(parent)
	return c
}

// wrapped hides what it wraps from package context, and lets it be hung on to.
type wrapped struct{ context.Context }

func (w wrapped) AfterFunc(f func()) func() bool { return reqctx.AfterFunc(w.Context, f).Stop }
func (w wrapped) Ends() *reqctx.Context          { return reqctx.Of(w.Context) }

// TestLikePackageContext: whatever stands above, in between and below, all that hangs on a context ends with it, for its reason, and
// nothing does before.
func TestLikePackageContext(t *testing.T) {
	below := map[string]func(context.Context) (context.Context, func()){
		"itself": func(c context.Context) (context.Context, func()) { return c, func() {} },
		"a Context": func(c context.Context) (context.Context, func()) {
			own := following(c)
			return own, func() { own.End(errOwn) }
		},
		"WithCancel":  func(c context.Context) (context.Context, func()) { return context.WithCancel(c) },
		"WithTimeout": func(c context.Context) (context.Context, func()) { return context.WithTimeout(c, time.Hour) },
		"wrapped":     func(c context.Context) (context.Context, func()) { return context.WithCancel(wrapped{c}) },
		"a Context below what is wrapped": func(c context.Context) (context.Context, func()) {
			own := following(wrapped{c})
			return own, func() { own.End(errOwn) }
		},
		"WithValue": func(c context.Context) (context.Context, func()) {
			return following(context.WithValue(c, key{}, 1)), func() {}
		},
	}
	for name, derive := range below {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				above, end := context.WithCancelCause(context.WithValue(t.Context(), key{}, "value"))
				c := following(above)
				ctx, cancel := derive(c)
				defer cancel()
				called := make(chan struct{})
				context.AfterFunc(ctx, func() { close(called) })
				stopped := context.AfterFunc(ctx, func() { t.Error("called though it was stopped") })
				require.True(t, stopped())
				require.False(t, stopped())
				synctest.Wait()
				select {
				case <-ctx.Done():
					t.Error("ended too early")
				case <-called:
					t.Error("called too early")
				default:
				}
				require.NoError(t, ctx.Err())
				require.NotNil(t, ctx.Value(key{}))

				end(errAbove)
				<-ctx.Done()
				<-called
				require.ErrorIs(t, ctx.Err(), context.Canceled)
				require.ErrorIs(t, context.Cause(ctx), errAbove)
				c.End(errOwn)
				require.ErrorIs(t, context.Cause(c), errAbove, "the first end counts")
			})
		})
	}
}

func TestEnd(t *testing.T) {
	c := following(t.Context())
	child := following(c)
	std, cancel := context.WithCancel(c)
	defer cancel()
	c.End(errOwn)
	for name, ctx := range map[string]context.Context{"itself": c, "a Context below": child, "WithCancel below": std, "begun after it": following(c)} {
		require.ErrorIs(t, ctx.Err(), errOwn, name)
		require.ErrorIs(t, context.Cause(ctx), errOwn, name)
		<-ctx.Done()
	}
	late := make(chan struct{})
	stop := c.AfterFunc(func() { close(late) })
	<-late
	require.False(t, stop())
}

// TestEndOfOneIsNotThatOfOthers: what is over hangs on nothing any more.
func TestEndOfOneIsNotThatOfOthers(t *testing.T) {
	c := following(t.Context())
	defer c.End(errOwn)
	var ended []string
	hang := func(name string) func() bool { return c.AfterFunc(func() { ended = append(ended, name) }) }
	first, _, third := hang("first"), hang("second"), hang("third")
	require.True(t, first())
	require.True(t, third())
	require.False(t, third())
	child := following(c)
	child.End(errAbove)
	require.NoError(t, c.Err())
	c.End(errOwn)
	require.Equal(t, []string{"second"}, ended)
	require.ErrorIs(t, child.Err(), errAbove)
}

// TestAtOnce is for the race detector: a parent ends while others begin, end and hang on.
func TestAtOnce(t *testing.T) {
	above, end := context.WithCancel(t.Context())
	c := following(above)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			child := following(c)
			stop := context.AfterFunc(child, func() {})
			if i%2 == 0 {
				<-child.Done()
			}
			stop()
			child.End(errOwn)
			if child.Err() == nil {
				t.Error("it did not end")
			}
		})
	}
	wg.Go(end)
	wg.Wait()
	<-c.Done()
}

// BenchmarkRequest is what the contexts of a request to a backend cost: one for it, one for the attempt, and the connection.
func BenchmarkRequest(b *testing.B) {
	base, end := context.WithCancel(b.Context())
	defer end()
	b.Run("context", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			request, cancel := context.WithCancel(base)
			attempt, give := context.WithCancelCause(request)
			context.AfterFunc(attempt, func() {})()
			give(errOwn)
			cancel()
		}
	})
	b.Run("reqctx", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var request, attempt reqctx.Context
			request.Begin(base)
			attempt.Follow(&request)
			attempt.AfterFunc(func() {})()
			attempt.End(errOwn)
			request.End(errOwn)
		}
	})
}

package uvicorn_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"
)

// TestContext: that of a request ends with its answer, for those who asked for its end before and for those who do so later.
func TestContext(t *testing.T) {
	bothWays(t, func(t *testing.T, start func(http.HandlerFunc) *server) {
		kept := make(chan context.Context, 3)
		s := start(func(w http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			if r.URL.Path == "/asks" {
				within, stop := context.WithTimeout(ctx, time.Hour)
				context.AfterFunc(within, stop)
				kept <- within
				first := ctx.Done()
				if deadline, is := ctx.Deadline(); is || ctx.Err() != nil || ctx.Done() != first || ctx.Value("no such key") != nil {
					t.Errorf("deadline %v, error %v", deadline, ctx.Err())
				}
			}
			kept <- ctx
			echo(w, r)
		})
		s.ask(get("/asks")).expect(told("GET /asks  "))
		s.ask(get("/quiet")).expect(told("GET /quiet  "))
		for range 3 {
			ctx := <-kept
			<-ctx.Done()
			if !errors.Is(ctx.Err(), context.Canceled) || !errors.Is(context.Cause(ctx), context.Canceled) {
				t.Errorf("ended with %v, because of %v", ctx.Err(), context.Cause(ctx))
			}
		}
	})
}

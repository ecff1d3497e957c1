package uvicorn

import (
	"context"
	"net/http"
	"time"
)

// An exchange is the context of its request, which ends with it, or with the client. What package context would make costs more
// memory and time, for children that no handler has.

// Deadline tells of none.
func (x *exchange) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// Done begins to watch the connection.
func (x *exchange) Done() <-chan struct{} {
	x.conn.watchFor(x)
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	if x.done == nil {
		x.done = make(chan struct{})
		if x.canceled {
			close(x.done)
		}
	}
	return x.done
}

// Err begins to watch the connection.
func (x *exchange) Err() error {
	x.conn.watchFor(x)
	if !x.ended() {
		return nil
	}
	return context.Canceled
}

func (x *exchange) ended() bool {
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	return x.canceled
}

// cancel ends the context. The caller holds conn.mu.
func (x *exchange) cancel() {
	if x.canceled {
		return
	}
	x.canceled = true
	if x.done != nil {
		close(x.done)
	}
}

// Left tells whether the client of a request is known to have left. Other than the context's Err it does not begin to watch.
func Left(ctx context.Context) bool {
	x, ok := ctx.Value(exchangeKey{}).(*exchange)
	return ok && x.ended()
}

type exchangeKey struct{}

// Value gives the exchange itself to Left, and tells of what With has added. The server's address is where net/http has it.
func (x *exchange) Value(key any) any {
	switch {
	case key == (exchangeKey{}):
		return x
	case key == http.LocalAddrContextKey:
		return x.conn.nc.LocalAddr()
	case x.key != nil && x.key == key:
		return x.value
	}
	return nil
}

// With is r with a value in its context. For the first value of a request of this server it is r itself: a copy of it costs more
// than its value tells.
func With(r *http.Request, key, value any) *http.Request {
	if x, ok := r.Context().(*exchange); ok && x.key == nil {
		x.key, x.value = key, value
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), key, value))
}

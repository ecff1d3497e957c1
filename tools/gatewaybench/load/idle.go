package load

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	opening  = 16               // idle connections that are opened at a time
	openTime = 20 * time.Second // a slow gateway gets no more than it can take in this time
)

// openIdle opens the idle connections and makes one request on each, because servers close those that never had one.
func (l *run) openIdle(ctx context.Context) ([]*conn, error) {
	if l.Idle == 0 {
		return nil, nil
	}
	until := time.Now().Add(openTime)
	request := l.idleRequest()
	var mu sync.Mutex
	var open []*conn
	var err error
	l.share(l.Idle, func(int) {
		if time.Now().After(until) {
			return
		}
		c, failed := dial(ctx, l.Addr, time.Now().Add(l.Duration+openTime+6*Patience))
		if failed == nil {
			failed = c.exchange(request)
		}
		mu.Lock()
		defer mu.Unlock()
		if failed != nil {
			err = fmt.Errorf("open an idle connection after %d others: %w", len(open), failed)
			return
		}
		open = append(open, c)
	})
	l.result.IdleOpened = len(open)
	if len(open) == 0 {
		return nil, err
	}
	return open, nil
}

// closeIdle finds out which connections still answer, and closes them all.
func (l *run) closeIdle(open []*conn) {
	until := time.Now().Add(openTime)
	request := l.idleRequest()
	l.share(len(open), func(i int) {
		defer open[i].Close()
		if time.Now().After(until) {
			return
		}
		if err := open[i].exchange(request); err != nil {
			l.mu.Lock()
			l.result.IdleLost++
			l.mu.Unlock()
		}
	})
}

func (l *run) idleRequest() []byte {
	req := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n", l.IdlePath, l.Addr)
	for _, header := range l.Headers {
		req += header + "\r\n"
	}
	return []byte(req + "\r\n")
}

// share calls do for 0 to n-1, some at a time.
func (l *run) share(n int, do func(i int)) {
	var workers sync.WaitGroup
	for w := range opening {
		workers.Go(func() {
			for i := w; i < n; i += opening {
				do(i)
			}
		})
	}
	workers.Wait()
}

// exchange makes one request whose answer does not matter.
func (c *conn) exchange(request []byte) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	h, err := c.head()
	if err != nil {
		return err
	}
	if h.length == 0 || h.status == 204 {
		return nil
	}
	return c.discard(h)
}

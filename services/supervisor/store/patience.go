package store

import (
	"context"
	"sync"
	"time"
)

// patience is how long somebody waits for a disk that hangs.
const patience = 2 * time.Second

// waitUntil returns once reached, or after patience, or when ctx ends. mu guards what reached looks at, and news, which is closed and
// replaced whenever that may have changed.
func waitUntil(ctx context.Context, mu *sync.Mutex, news *chan struct{}, reached func() bool) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		mu.Lock()
		done, changed := reached(), *news
		mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

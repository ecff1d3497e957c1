package feed

import "sync"

// bulletin tells whoever waits that something has changed. The zero value is ready.
type bulletin struct {
	mu   sync.Mutex
	news chan struct{}
}

// next is closed by the next publish.
func (b *bulletin) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.news == nil {
		b.news = make(chan struct{})
	}
	return b.news
}

func (b *bulletin) publish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.news != nil {
		close(b.news)
		b.news = nil
	}
}

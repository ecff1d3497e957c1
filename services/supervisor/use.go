package supervisor

import "time"

// use is what gateways tell of the requests for a model.
type use struct {
	heard  bool      // there is a gateway
	queued int       // requests that wait for the model, or for their turn at it
	busy   bool      // these, or some at its servers
	last   time.Time // when there was one, or may have been
	needed bool      // a model that depends on it runs, or waits for it
}

// idle tells for how long there was no request, from begin on: 0 when there are some, and when nobody knows.
func (u use) idle(begin, now time.Time) time.Duration {
	if u.busy || !u.heard {
		return 0
	}
	if u.last.After(begin) {
		begin = u.last
	}
	return now.Sub(begin)
}

// use sums up the last word of all gateways on a model with these servers. What was not seen counts as use: the time before a
// gateway was heard of, and that before one was lost, whether it has said farewell or not.
func (g *gateways) use(model string, servers []string) use {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget()
	u := use{heard: len(g.beats) > 0, last: g.lost}
	for _, b := range g.beats {
		u.queued += b.Queued[model]
		for _, server := range servers {
			u.busy = u.busy || b.Inflight[server] > 0
		}
		if used := b.used[model]; used.After(u.last) {
			u.last = used
		}
	}
	u.busy = u.busy || u.queued > 0
	return u
}

// since says when a gateway told of requests for its models, by our clock: what is another time than in the word before was
// between the two. The clocks of two machines differ too much to compare the times themselves.
func (b beat) since(before beat) map[string]time.Time {
	used := make(map[string]time.Time, len(b.LastUsed))
	for model, at := range b.LastUsed {
		used[model] = b.at
		if at.Equal(before.LastUsed[model]) {
			used[model] = before.used[model]
		}
	}
	return used
}

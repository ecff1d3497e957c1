package gateways

import "time"

// Use is what gateways tell of the requests for a model.
type Use struct {
	Heard  bool      // there is a gateway
	Queued int       // requests that wait for the model, or for their turn at it
	Busy   bool      // these, or some at its servers
	Last   time.Time // when there was one, or may have been
}

// Idle tells for how long there was no request, from begin on: 0 when there are some, and when nobody knows.
func (u Use) Idle(begin, now time.Time) time.Duration {
	if u.Busy || !u.Heard {
		return 0
	}
	if u.Last.After(begin) {
		begin = u.Last
	}
	return now.Sub(begin)
}

// Use sums up the last word of all gateways on a model with these servers. What was not seen counts as use: the time before a
// gateway was heard of, and that before one was lost, whether it has said farewell or not.
func (g *Gateways) Use(model string, servers []string) Use {
	g.mu.Lock()
	defer g.mu.Unlock()
	u := Use{Heard: len(g.beats) > 0, Last: g.lost}
	for _, b := range g.beats {
		u.Queued += b.Queued[model]
		for _, server := range servers {
			u.Busy = u.Busy || b.Inflight[server] > 0
		}
		if used := b.used[model]; used.After(u.Last) {
			u.Last = used
		}
	}
	u.Busy = u.Busy || u.Queued > 0
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

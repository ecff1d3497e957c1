package routing

import "time"

// Load is what a model server tells of itself (vLLM's metrics of the same names).
type Load struct {
	Running float64 // requests in its batch
	Waiting float64 // requests in its queue
	KVUse   float64 // 0 to 1, of its KV cache
}

// polled is the last Load of a backend.
type polled struct {
	Load
	others float64   // requests at the server that are not ours
	until  time.Time // believed
}

// SetLoad notes what a backend told of its load, to be believed for a while. Unknown ids are ignored.
func (r *Router) SetLoad(id string, l Load, valid time.Duration) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.states[id]; s != nil {
		s.polled = polled{Load: l, others: max(0, l.Running+l.Waiting-float64(s.inflight)), until: now.Add(valid)}
	}
}

// load is the number of requests at a backend: ours as they are now, those of others as last polled. One that waits counts
// twice, for it shows that the batch is full.
func (s *state) load(now time.Time) (requests, kvUse float64) {
	requests = float64(s.inflight)
	if now.Before(s.polled.until) {
		requests += s.polled.others + s.polled.Waiting
		kvUse = s.polled.KVUse
	}
	return requests, kvUse
}

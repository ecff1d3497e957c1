package routing

import "time"

// Status is one backend at one moment.
type Status struct {
	Model, ID, URL string
	Routable       bool
	Up             bool // takes new requests and answered last
	Inflight       int64
	Ejected        bool // failed too often in a row; takes none while enough others do
	NeedsLoad      bool // its load is worth polling
	Load           Load // as polled
	Loaded         bool // Load is there and not too old
}

// Backends lists the backends of the table in force.
func (r *Router) Backends() []Status {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	table := r.table.Load()
	if table == nil {
		return nil
	}
	var list []Status
	for _, m := range table.Models {
		for _, b := range m.backends {
			s := b.state
			status := Status{Model: m.ID, ID: b.ID, URL: b.URL, Routable: b.Routable, Up: b.Routable && !s.health.down,
				Inflight: s.inflight, Ejected: s.health.ejected(now), NeedsLoad: m.NeedsLoad()}
			if status.Loaded = now.Before(s.polled.until); status.Loaded {
				status.Load = s.polled.Load
			}
			list = append(list, status)
		}
	}
	return list
}

// Inflight counts the requests by backend id, those of backends that left the fleet included, and gives the table to
// which the count belongs (nil before the first).
func (r *Router) Inflight() (*Table, map[string]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	busy := make(map[string]int)
	for id, s := range r.states {
		if s.inflight > 0 {
			busy[id] = int(s.inflight)
		}
	}
	return r.table.Load(), busy
}

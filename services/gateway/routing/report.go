package routing

// Status is one backend at one moment.
type Status struct {
	Model, ID, URL string
	Routable       bool
	Up             bool // takes new requests and answered last
	Inflight       int64
}

// Backends lists the backends of the table in force.
func (r *Router) Backends() []Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	table := r.table.Load()
	if table == nil {
		return nil
	}
	var list []Status
	for _, m := range table.Models {
		for _, b := range m.backends {
			list = append(list, Status{Model: m.ID, ID: b.ID, URL: b.URL, Routable: b.Routable,
				Up: b.Routable && !b.state.down, Inflight: b.state.inflight})
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

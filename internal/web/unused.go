package web

import (
	"net"
	"net/http"
	"sync"
)

// Unused are the connections of a server on which nothing was sent yet. http.Server.Shutdown waits five seconds for a request on
// them; a server that is told to stop is not to wait for clients that opened a connection in advance.
type Unused struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// Track is an http.Server's ConnState.
func (u *Unused) Track(c net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if state == http.StateNew {
		if u.conns == nil {
			u.conns = make(map[net.Conn]struct{})
		}
		u.conns[c] = struct{}{}
		return
	}
	delete(u.conns, c)
}

// Close ends them all.
func (u *Unused) Close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.conns {
		_ = c.Close() // it carried nothing
	}
}

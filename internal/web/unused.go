package web

import (
	"net"
	"net/http"
	"sync"
)

// unused are the connections of a server on which nothing was sent yet. http.Server.Shutdown waits five seconds for a request on
// them; a server that is told to stop is not to wait for clients that opened a connection in advance.
type unused struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// track is an http.Server's ConnState.
func (u *unused) track(c net.Conn, state http.ConnState) {
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

// close ends them all.
func (u *unused) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.conns {
		_ = c.Close() // it carried nothing
	}
}

//go:build !linux

package web

import (
	"context"
	"net"
)

// front serves by net/http alone.
func (s *Server) front(base context.Context, ln net.Listener) front { return s.netHTTP(base, ln) }

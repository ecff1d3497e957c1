package web

import (
	"context"
	"net"
)

// Listen opens a TCP listener for a Server. Where the system can, its connections queue little that was not sent yet: a write then
// waits for a client that does not read and goes on with one that reads slowly, instead of filling megabytes of the kernel's
// memory first and waiting for a third of them to leave.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	return (&net.ListenConfig{Control: shortQueue}).Listen(ctx, "tcp", addr)
}

// OnLoopback tells an address that only programs of this machine can reach.
func OnLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

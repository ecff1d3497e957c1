//go:build !unix

package rawnet

import "net"

// Conn is what no connection of such a system is.
type Conn struct{ *net.TCPConn }

// Wrap returns c itself.
func Wrap(c net.Conn) net.Conn { return c }

package web

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// unsentBytes is what a connection queues before it has left the machine.
const unsentBytes = 128 << 10

// shortQueue sets the bound on a listening socket; the accepted ones inherit it (tcp(7), TCP_NOTSENT_LOWAT).
func shortQueue(_, addr string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentBytes)
	})
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("bound the send queue of %s: %w", addr, err)
	}
	return nil
}

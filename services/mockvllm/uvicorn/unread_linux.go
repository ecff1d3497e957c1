package uvicorn

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// unreadBytes is how many have arrived that nobody has read. The caller holds mu.
func (c *conn) unreadBytes() int {
	n := 0
	if c.watch.raw != nil {
		_ = c.watch.raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
	}
	return n
}

// halfClosed tells whether the client has shut down its sending half and everything it sent was read.
func (c *conn) halfClosed() bool {
	sc, ok := c.nc.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	n := -1
	_ = raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err = unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	})
	return err == nil && n == 0
}

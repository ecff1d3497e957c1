package uvicorn

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// poller tells connections that their clients send no more. It costs a connection one system call and no goroutine: a second
// epoll, itself watched by the runtime's, knows them all. The zero value opens it with the first connection.
type poller struct {
	mu     sync.Mutex
	file   *os.File // the epoll; nil before the first connection
	fd     int      // of the file, whose own method would make it block
	closed bool
	conns  map[int32]*conn
	lastID int32
	done   chan struct{}
}

// add sets the id of the connection's watch, or leaves it 0 when it cannot be polled. The caller holds the connection's mu.
func (p *poller) add(c *conn) {
	sc, ok := c.nc.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	c.watch.raw = raw
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.open() {
		return
	}
	for p.lastID++; p.lastID == 0 || p.conns[p.lastID] != nil; p.lastID++ {
	}
	event := unix.EpollEvent{Events: unix.EPOLLRDHUP | unix.EPOLLET, Fd: p.lastID}
	_ = raw.Control(func(fd uintptr) { // closed meanwhile: then there is nothing to watch
		if unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, int(fd), &event) == nil {
			c.watch.id = p.lastID
			p.conns[p.lastID] = c
		}
	})
}

func (p *poller) open() bool {
	if p.file != nil || p.closed {
		return !p.closed
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return false
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that the runtime polls it
		_ = unix.Close(fd)
		return false
	}
	p.fd = fd
	p.file = os.NewFile(uintptr(fd), "epoll")
	p.conns, p.done = make(map[int32]*conn), make(chan struct{})
	go p.run(p.file)
	return true
}

// run ends when the file is closed.
func (p *poller) run(file *os.File) {
	defer close(p.done)
	raw, err := file.SyscallConn()
	if err != nil {
		return
	}
	events := make([]unix.EpollEvent, 64)
	for {
		var n int
		err := raw.Read(func(fd uintptr) bool {
			var err error
			n, err = unix.EpollWait(int(fd), events, 0)
			return n > 0 || err != nil
		})
		if err != nil {
			return
		}
		for _, e := range events[:max(n, 0)] {
			p.mu.Lock()
			c := p.conns[e.Fd]
			p.mu.Unlock()
			if c != nil {
				c.ended(e.Events&(unix.EPOLLHUP|unix.EPOLLERR) != 0)
			}
		}
	}
}

// remove forgets a connection. The kernel does so when it is closed.
func (p *poller) remove(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c.watch.id)
}

// close ends the poller and waits for it.
func (p *poller) close() {
	p.mu.Lock()
	file := p.file
	p.file, p.closed = nil, true
	p.mu.Unlock()
	if file != nil {
		_ = file.Close()
		<-p.done
	}
}

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

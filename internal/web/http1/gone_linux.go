package http1

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// watcher learns from the kernel which clients have closed their side, with one epoll for all connections: a connection is
// registered once and costs nothing per request. A client that closes only its sending side is taken for gone, as
// vLLM and net/http take it.
type watcher struct {
	once    sync.Once
	closing sync.Once
	closed  error
	fd      int      // of the epoll
	file    *os.File // the same for Go's poller; nil where no epoll could be had
	ended   chan struct{}

	mu    sync.Mutex
	conns map[int32]*conn
	turn  int32 // tells a descriptor's users apart
}

// watched is the watcher's part of a connection.
type watched struct {
	fd, turn int32
	on       bool
}

func (w *watcher) start() {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return // clients that leave are then noticed when something is written to them
	}
	_ = unix.SetNonblock(fd, true) // so that Go's own poller waits for it
	w.fd = fd
	w.file = os.NewFile(uintptr(fd), "epoll")
	w.conns = make(map[int32]*conn)
	w.ended = make(chan struct{})
	go w.run()
}

func (w *watcher) run() {
	defer close(w.ended)
	raw, err := w.file.SyscallConn()
	if err != nil {
		return
	}
	events := make([]unix.EpollEvent, 64)
	for {
		n := 0
		err := raw.Read(func(fd uintptr) bool {
			n, err = unix.EpollWait(int(fd), events, 0)
			return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
		})
		if err != nil || n < 0 {
			return // it was closed
		}
		for _, e := range events[:n] {
			w.mu.Lock()
			c := w.conns[e.Fd]
			current := c != nil && c.watch.turn == e.Pad
			w.mu.Unlock()
			if current {
				c.left()
			}
		}
	}
}

// add watches a connection that has a descriptor.
func (w *watcher) add(c *conn) {
	w.once.Do(w.start)
	raw := descriptor(c)
	if raw == nil || w.file == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn++
	_ = raw.Control(func(fd uintptr) { // a connection that is closed already needs no watching
		event := unix.EpollEvent{Events: unix.EPOLLRDHUP | unix.EPOLLET&0xffffffff, Fd: int32(fd), Pad: w.turn}
		if unix.EpollCtl(w.fd, unix.EPOLL_CTL_ADD, int(fd), &event) == nil {
			c.watch = watched{fd: int32(fd), turn: w.turn, on: true}
			w.conns[int32(fd)] = c
		}
	})
}

// descriptor is that of the connection, or of the one that it wraps (go-proxyproto has Raw).
func descriptor(c *conn) syscall.RawConn {
	if c.raw != nil {
		return c.raw
	}
	inner := socket(c.net)
	if wrapper, ok := inner.(interface{ Raw() net.Conn }); ok {
		inner = wrapper.Raw()
	}
	sys, ok := inner.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// remove forgets a connection. The kernel does so when the descriptor is closed; of one that was handed over it tells on, and
// nobody listens.
func (w *watcher) remove(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.watch.on && w.conns[c.watch.fd] == c {
		delete(w.conns, c.watch.fd)
	}
}

func (w *watcher) close() error {
	if w.file == nil {
		return nil
	}
	w.closing.Do(func() { w.closed = w.file.Close() })
	<-w.ended
	return w.closed
}

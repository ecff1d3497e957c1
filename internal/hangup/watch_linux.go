package hangup

import (
	"errors"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Watch watches the connections of one server. The zero value is ready, and opens its epoll with the first connection.
type Watch struct {
	mu     sync.Mutex
	file   *os.File // the epoll; nil before the first connection
	fd     int      // of the file, whose own method would make it block
	closed bool
	conns  map[int32]Conn
	last   int32         // id that was given
	done   chan struct{} // closed when run has ended
}

// Add begins to watch the connection that raw gives the descriptor of. The id is for Remove; 0 says that the connection cannot be
// watched, because it is closed, the Watch is, or no epoll could be had.
func (w *Watch) Add(raw syscall.RawConn, c Conn) (id int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.open() {
		return 0
	}
	for w.last++; w.last == 0 || w.conns[w.last] != nil; w.last++ {
	}
	event := unix.EpollEvent{Events: unix.EPOLLRDHUP | unix.EPOLLET, Fd: w.last} // a descriptor may be another's by the time it is told of
	_ = raw.Control(func(fd uintptr) {
		if unix.EpollCtl(w.fd, unix.EPOLL_CTL_ADD, int(fd), &event) == nil {
			id = w.last
			w.conns[id] = c
		}
	})
	return id
}

// Remove forgets a connection; 0 is none. The kernel forgets it when it is closed; of one that somebody else has taken over it
// tells on, and nobody listens.
func (w *Watch) Remove(id int32) {
	if id == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, id)
}

// Close ends the Watch, and waits until no Conn is being told.
func (w *Watch) Close() error {
	w.mu.Lock()
	file, done := w.file, w.done
	w.file, w.closed = nil, true
	w.mu.Unlock()
	var err error
	if file != nil {
		err = file.Close()
	}
	if done != nil {
		<-done
	}
	return err
}

// open reports whether there is an epoll. The caller holds mu.
func (w *Watch) open() bool {
	if w.file != nil || w.closed {
		return !w.closed
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return false
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that Go's poller waits for it
		_ = unix.Close(fd)
		return false
	}
	w.fd = fd
	w.file = os.NewFile(uintptr(fd), "epoll")
	w.conns, w.done = make(map[int32]Conn), make(chan struct{})
	go w.run(w.file)
	return true
}

// run ends when the file is closed.
func (w *Watch) run(file *os.File) {
	defer close(w.done)
	raw, err := file.SyscallConn()
	if err != nil {
		return
	}
	events := make([]unix.EpollEvent, 64)
	for {
		var n int
		var failed error
		err := raw.Read(func(fd uintptr) bool {
			n, failed = unix.EpollWait(int(fd), events, 0)
			return n > 0 || failed != nil && !errors.Is(failed, unix.EINTR)
		})
		if err != nil || failed != nil {
			return
		}
		for _, e := range events[:n] {
			w.mu.Lock()
			c := w.conns[e.Fd]
			w.mu.Unlock()
			if c != nil {
				c.HungUp(e.Events&(unix.EPOLLHUP|unix.EPOLLERR) != 0)
			}
		}
	}
}

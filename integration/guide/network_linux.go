package guide

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Network is a loopback of its own: guides name ports that others on the machine may use.
type Network struct{ namespace *os.File }

// NewNetwork makes one, which takes the rights of root.
func NewNetwork() (*Network, error) {
	type made struct {
		namespace *os.File
		err       error
	}
	result := make(chan made)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread is thrown away with its namespace
		var m made
		if m.err = unix.Unshare(unix.CLONE_NEWNET); m.err == nil {
			m.err = loopbackUp()
		}
		if m.err == nil {
			m.namespace, m.err = os.Open("/proc/thread-self/ns/net")
		}
		result <- m
	}()
	m := <-result
	if m.err != nil {
		return nil, fmt.Errorf("make a network namespace: %w", m.err)
	}
	return &Network{m.namespace}, nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

// within calls f on a thread of the network. A nil network is the machine's.
func (n *Network) within(f func() error) error {
	if n == nil {
		return f()
	}
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // see NewNetwork
		if err := unix.Setns(int(n.namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			result <- err
			return
		}
		result <- f()
	}()
	return <-result
}

// start starts a program in the network.
func (n *Network) start(cmd *exec.Cmd) error { return n.within(cmd.Start) }

// Forward makes a port of the network lead to an address of the machine until it is stopped. Connections that are open then stay so.
func (n *Network) Forward(port int, to string) (stop func(), err error) {
	var ln net.Listener
	err = n.within(func() (err error) {
		ln, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("something of the guide still uses port %d: %w", port, err)
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go relay(conn, to)
		}
	}()
	return func() { _ = ln.Close() }, nil
}

func relay(conn net.Conn, to string) {
	defer conn.Close()
	dialer := net.Dialer{Timeout: 10 * time.Second}
	there, err := dialer.DialContext(context.Background(), "tcp", to)
	if err != nil {
		return
	}
	defer there.Close()
	var both sync.WaitGroup
	both.Go(func() { copyAndClose(there, conn) })
	both.Go(func() { copyAndClose(conn, there) })
	both.Wait()
}

func copyAndClose(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.(*net.TCPConn).CloseWrite()
}

// Close gives the network back.
func (n *Network) Close() error { return n.namespace.Close() }

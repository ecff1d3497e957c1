//go:build unix

package rawnet_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/rawnet"
)

// pair is a connection under test and its other end.
func pair(t *testing.T) (c net.Conn, peer *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dialed, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c = rawnet.Wrap(accepted)
	t.Cleanup(func() {
		_ = c.Close()
		_ = dialed.Close()
	})
	return c, dialed.(*net.TCPConn)
}

// TestBothWays sends more than the buffers of a connection hold, so that both directions have to wait.
func TestBothWays(t *testing.T) {
	c, peer := pair(t)
	if _, ok := c.(*rawnet.Conn); !ok {
		t.Fatalf("a TCP connection became %T", c)
	}
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	go func() { _, _ = io.Copy(peer, peer) }() // an echo, until this side has no more
	go func() {
		_, _ = c.Write(sent)
		_ = c.(*rawnet.Conn).CloseWrite()
	}()
	sum := sha256.New()
	n := 0
	for b := make([]byte, 32<<10); n < len(sent); {
		k, err := c.Read(b)
		if err != nil {
			t.Fatalf("after %d bytes: %v", n, err)
		}
		_, _ = sum.Write(b[:k])
		n += k
	}
	if want := sha256.Sum256(sent); !bytes.Equal(sum.Sum(nil), want[:]) {
		t.Error("what came back is not what was sent")
	}
	if n, err := c.Read(nil); n != 0 || err != nil {
		t.Errorf("reading nothing: %d, %v", n, err)
	}
}

func TestEnds(t *testing.T) {
	f := func(name string, end func(c net.Conn, peer *net.TCPConn), want error) {
		t.Run(name, func(t *testing.T) {
			c, peer := pair(t)
			end(c, peer)
			if n, err := c.Read(make([]byte, 8)); n != 0 || !errors.Is(err, want) {
				t.Errorf("read %d, %v; want %v", n, err, want)
			}
		})
	}
	f("closed there", func(_ net.Conn, peer *net.TCPConn) { _ = peer.Close() }, io.EOF)
	f("closed here", func(c net.Conn, _ *net.TCPConn) { _ = c.Close() }, net.ErrClosed)
	f("late", func(c net.Conn, _ *net.TCPConn) { _ = c.SetReadDeadline(time.Now().Add(time.Millisecond)) }, os.ErrDeadlineExceeded)
	f("reset", func(_ net.Conn, peer *net.TCPConn) {
		_ = peer.SetLinger(0)
		_ = peer.Close()
	}, syscall.ECONNRESET)
}

func TestBrokenWrite(t *testing.T) {
	c, peer := pair(t)
	_ = peer.SetLinger(0)
	_ = peer.Close()
	_, _ = c.Read(make([]byte, 1)) // the reset is known then
	n, err := c.Write([]byte("x"))
	if op, ok := errors.AsType[*net.OpError](err); n != 0 || !ok || op.Op != "write" || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("wrote %d, %v", n, err)
	}
}

// TestOthers: what is no TCP connection stays what it is.
func TestOthers(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if c := rawnet.Wrap(a); c != a {
		t.Errorf("became %T", c)
	}
}

// TestAsk asks with more than a connection takes at once, and with little, of a peer that answers when it has read all.
func TestAsk(t *testing.T) {
	for _, size := range []int{1, 16 << 20} {
		c, peer := pair(t)
		question := bytes.Repeat([]byte("q"), size)
		go func() {
			got, _ := io.ReadAll(io.LimitReader(peer, int64(size)))
			if bytes.Equal(got, question) {
				_, _ = peer.Write([]byte("answer"))
			}
			_ = peer.CloseWrite()
		}()
		if err := c.(*rawnet.Conn).Ask(question); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(c); string(got) != "answer" || err != nil {
			t.Errorf("the answer to %d bytes is %q, %v", size, got, err)
		}
	}
}

// arrived waits until what the other end has done is known at this one, which is not always at once.
func arrived(c *rawnet.Conn) {
	_ = c.Raw().Read(func(fd uintptr) bool { // fails where this end is closed
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return !errors.Is(err, syscall.EAGAIN)
	})
}

// TestAskTooLate: on a connection that was not idle nothing is written.
func TestAskTooLate(t *testing.T) {
	f := func(name string, end func(c net.Conn, peer *net.TCPConn), want error) {
		t.Run(name, func(t *testing.T) {
			c, peer := pair(t)
			end(c, peer)
			arrived(c.(*rawnet.Conn))
			if err := c.(*rawnet.Conn).Ask([]byte("x")); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
			_ = c.Close()
			if n, _ := peer.Read(make([]byte, 1)); n > 0 {
				t.Error("it was written")
			}
		})
	}
	f("closed there", func(_ net.Conn, peer *net.TCPConn) { _ = peer.CloseWrite() }, rawnet.ErrStale)
	f("spoken there", func(_ net.Conn, peer *net.TCPConn) { _, _ = peer.Write([]byte("y")) }, rawnet.ErrStale)
	f("closed here", func(c net.Conn, _ *net.TCPConn) { _ = c.Close() }, net.ErrClosed)
}

// TestAskEnds: who waits for an answer hears that it will not come.
func TestAskEnds(t *testing.T) {
	c, _ := pair(t)
	time.AfterFunc(10*time.Millisecond, func() { _ = c.Close() })
	if err := c.(*rawnet.Conn).Ask([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

package life

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// door is a listener that can be shut for a time, so that connections are refused, and that numbers those it lets in.
type door struct {
	mu      sync.Mutex
	ln      net.Listener
	addr    net.Addr
	shut    bool
	closed  bool
	changed chan struct{} // closed and replaced when shut or closed changes
	err     error         // of the attempt to open it again

	count   int64
	numbers map[string]int64 // of connections by the client's address
}

// mostNumbers bounds the numbers that are remembered; an address is forgotten only when there are as many.
const mostNumbers = 1 << 16

func newDoor(ln net.Listener) *door {
	return &door{ln: ln, addr: ln.Addr(), changed: make(chan struct{}), numbers: map[string]int64{}}
}

// Addr is where it listens, or did.
func (d *door) Addr() net.Addr { return d.addr }

// Accept waits while the door is shut.
func (d *door) Accept() (net.Conn, error) {
	for {
		d.mu.Lock()
		ln, shut, closed, changed, err := d.ln, d.shut, d.closed, d.changed, d.err
		d.mu.Unlock()
		switch {
		case closed:
			return nil, net.ErrClosed
		case err != nil:
			return nil, err
		case shut:
			<-changed
			continue
		}
		conn, err := ln.Accept()
		if err == nil {
			d.enter(conn.RemoteAddr().String())
			return conn, nil
		}
		d.mu.Lock()
		same := d.ln == ln && !d.shut
		d.mu.Unlock()
		if same {
			return nil, err
		}
	}
}

func (d *door) enter(addr string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.numbers) >= mostNumbers {
		clear(d.numbers)
	}
	d.count++
	d.numbers[addr] = d.count
}

// number is the how manieth connection one from that address is.
func (d *door) number(addr string) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.numbers[addr]
}

// refuse shuts the door or opens it again.
func (d *door) refuse(shut bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.shut == shut {
		return
	}
	if shut {
		_ = d.ln.Close() // it can fail only when it is closed
	} else if ln, err := new(net.ListenConfig).Listen(context.Background(), d.addr.Network(), d.addr.String()); err != nil {
		d.err = fmt.Errorf("open the port again: %w", err)
	} else {
		d.ln = ln
	}
	d.shut = shut
	d.announce()
}

func (d *door) announce() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// Close closes it for good.
func (d *door) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	d.announce()
	if d.shut {
		return nil
	}
	return d.ln.Close()
}

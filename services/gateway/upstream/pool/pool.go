package pool

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// Key names what connections lead to.
type Key struct {
	Scheme string // http or https
	Host   string // with a port when it is not the scheme's
}

// Config says how connections are made and kept.
type Config struct {
	Dial    func(ctx context.Context, network, addr string) (net.Conn, error)
	TLS     *tls.Config   // for https; nil is the default one
	Idle    time.Duration // how long an unused connection is kept
	MaxIdle int           // unused connections to one host
	MaxOpen int           // connections to one host, in use or not; 0 means any number
}

// Stats counts connections.
type Stats struct {
	Open int // in use, idle, or being made
	Idle int
}

// ErrLimit says that a host has all the connections that it may have.
var ErrLimit = errors.New("the limit of connections to this host is reached")

// Pool is safe for concurrent use.
type Pool struct {
	cfg   Config
	began time.Time

	mu    sync.Mutex
	hosts map[Key]*host
	stats Stats
	sweep *time.Timer // runs while connections are idle; nil otherwise
}

// host exists while it has a connection.
type host struct {
	open int
	idle []*Conn // the one that was used last is the last
}

// New returns an empty pool.
func New(cfg Config) *Pool { return &Pool{cfg: cfg, began: time.Now(), hosts: make(map[Key]*host)} }

// Kept returns an idle connection to key, or nil. The one that was used last comes first, so that what is not needed any
// more grows old. It was alive just now, or whoever will Send a request finds out whether it is.
func (p *Pool) Kept(key Key, send bool) *Conn {
	for {
		c := p.pop(key)
		if c == nil {
			return nil
		}
		c.Reused = true
		if send && c.looks() || c.alive() {
			return c
		}
		p.Drop(c)
	}
}

func (p *Pool) pop(key Key) *Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hosts[key]
	if h == nil || len(h.idle) == 0 {
		return nil
	}
	last := len(h.idle) - 1
	c := h.idle[last]
	h.idle[last] = nil
	h.idle = h.idle[:last]
	p.stats.Idle--
	return c
}

// Keep takes a connection back on which nothing is under way.
func (p *Pool) Keep(c *Conn) {
	if !p.push(c) {
		p.Drop(c)
	}
}

func (p *Pool) push(c *Conn) bool {
	c.since = time.Since(p.began)
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hosts[c.key]
	if len(h.idle) >= p.cfg.MaxIdle {
		return false
	}
	h.idle = append(h.idle, c)
	p.stats.Idle++
	if p.sweep == nil {
		p.sweep = time.AfterFunc(p.cfg.Idle, p.closeOld)
	}
	return true
}

// Drop closes a connection that was taken.
func (p *Pool) Drop(c *Conn) {
	p.leave(c.key)
	c.Abort()
}

// Stats counts the connections of now.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

// CloseIdle closes the connections that are not in use.
func (p *Pool) CloseIdle() {
	for _, c := range p.takeIdle(func(*Conn) bool { return true }) {
		p.Drop(c)
	}
}

// closeOld closes what was idle for too long: a server may do the same without a word, just as a request comes.
func (p *Pool) closeOld() {
	now := time.Since(p.began)
	for _, c := range p.takeIdle(func(c *Conn) bool { return now-c.since >= p.cfg.Idle }) {
		p.Drop(c)
	}
}

// takeIdle takes the idle connections that are done, and sets the time at which the oldest of the others will be.
func (p *Pool) takeIdle(done func(*Conn) bool) []*Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	var taken []*Conn
	next := time.Duration(-1)
	for _, h := range p.hosts {
		n := 0
		for n < len(h.idle) && done(h.idle[n]) {
			n++
		}
		taken = append(taken, h.idle[:n]...)
		h.idle = append(h.idle[:0:0], h.idle[n:]...)
		if len(h.idle) > 0 {
			if left := p.cfg.Idle - time.Since(p.began) + h.idle[0].since; next < 0 || left < next {
				next = max(left, 0)
			}
		}
	}
	p.stats.Idle -= len(taken)
	switch {
	case next >= 0:
		p.sweep.Reset(next)
	case p.sweep != nil:
		p.sweep.Stop()
		p.sweep = nil
	}
	return taken
}

// enter counts a connection that is about to be made.
func (p *Pool) enter(key Key) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hosts[key]
	if h == nil {
		h = &host{}
		p.hosts[key] = h
	}
	if p.cfg.MaxOpen > 0 && h.open >= p.cfg.MaxOpen {
		return ErrLimit
	}
	h.open++
	p.stats.Open++
	return nil
}

func (p *Pool) leave(key Key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hosts[key]
	h.open--
	p.stats.Open--
	if h.open == 0 {
		delete(p.hosts, key) // addresses come and go
	}
}

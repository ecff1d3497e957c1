package pool

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"time"
)

// ConnectError says that no connection was made, so that the server knows nothing of the request.
type ConnectError struct {
	Host string
	Err  error
}

func (e *ConnectError) Error() string { return fmt.Sprintf("connect to %s: %v", e.Host, e.Err) }

// Unwrap returns the reason.
func (e *ConnectError) Unwrap() error { return e.Err }

// Starved is how late the timers are of a program that had no processor when they were due. What they say is over then may be there, and
// the program did not come to see it.
const Starved = 10 * time.Millisecond

// Dial makes a connection within timeout, the TLS handshake included, or within another one where it came too late to see whether the
// first was enough. Every error is a *ConnectError.
func (p *Pool) Dial(ctx context.Context, key Key, timeout time.Duration) (*Conn, error) {
	if err := p.enter(key); err != nil {
		return nil, &ConnectError{key.Host, err}
	}
	began := time.Now()
	c, err := p.dial(ctx, key, timeout)
	if err != nil && time.Since(began) > timeout+Starved {
		c, err = p.dial(ctx, key, timeout)
	}
	if err != nil {
		p.leave(key)
		return nil, &ConnectError{key.Host, err}
	}
	return c, nil
}

func (p *Pool) dial(ctx context.Context, key Key, timeout time.Duration) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	at := url.URL{Host: key.Host}
	port := "80"
	if key.Scheme == "https" {
		port = "443"
	}
	socket, err := p.cfg.Dial(ctx, "tcp", net.JoinHostPort(at.Hostname(), cmp.Or(at.Port(), port)))
	if err != nil {
		return nil, err
	}
	if key.Scheme != "https" {
		return newConn(key, socket, socket), nil
	}
	cfg := p.cfg.TLS.Clone()
	if cfg == nil {
		cfg = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	cfg.NextProtos = []string{"http/1.1"}
	cfg.ServerName = cmp.Or(cfg.ServerName, at.Hostname())
	secure := tls.Client(socket, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = socket.Close() // the handshake's error is the one that tells
		return nil, fmt.Errorf("TLS handshake: %w", err)
	}
	return newConn(key, secure, socket), nil
}

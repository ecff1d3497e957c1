//go:build linux

package http1

import (
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/web/http1/head"
)

// handshake begins an encrypted connection, within the time for a header, and hands it over where the client has chosen HTTP/2. It
// reports false when nothing is left to do.
func (c *conn) handshake(secure *tls.Conn) bool {
	if secure.SetDeadline(time.Now().Add(c.server.ReadHeaderTimeout)) != nil {
		return false
	}
	if err := secure.HandshakeContext(c.server.BaseContext); err != nil {
		c.server.logf("http: TLS handshake error from %s: %v", c.remote, err)
		var plain tls.RecordHeaderError
		if errors.As(err, &plain) && plain.Conn != nil && plain.RecordHeader[0] >= 'A' && plain.RecordHeader[0] <= 'Z' { // a method
			c.net = plain.Conn
			c.refuse(head.Malformed("This server speaks HTTPS. Ask for https:// in place of http://."))
		}
		return false
	}
	if secure.SetDeadline(time.Time{}) != nil {
		return false
	}
	state := secure.ConnectionState()
	if state.NegotiatedProtocol == "h2" {
		c.handed = true
		c.server.HTTP2(secure)
		return false
	}
	c.tls = &state
	return true
}

// socket is what a connection is carried by, below its encryption.
func socket(c net.Conn) net.Conn {
	if secure, ok := c.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return c
}

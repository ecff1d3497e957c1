package upstream_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream/wire"
)

// canned is a connection on which a server answers the first request with bytes and closes.
type canned struct {
	raw   *bytes.Reader
	asked func() // called by the first write
	ready chan struct{}
	close func()
	ended chan struct{}
}

func newCanned(raw []byte) *canned {
	c := &canned{raw: bytes.NewReader(raw), ready: make(chan struct{}), ended: make(chan struct{})}
	c.asked = sync.OnceFunc(func() { close(c.ready) })
	c.close = sync.OnceFunc(func() { close(c.ended) })
	return c
}

func (c *canned) Read(p []byte) (int, error) {
	select {
	case <-c.ready:
		return c.raw.Read(p)
	case <-c.ended:
		return 0, net.ErrClosed
	}
}
func (c *canned) Write(p []byte) (int, error)      { c.asked(); return len(p), nil }
func (c *canned) Close() error                     { c.close(); return nil }
func (c *canned) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *canned) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *canned) SetDeadline(time.Time) error      { return nil }
func (c *canned) SetReadDeadline(time.Time) error  { return nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }

// stricter are parts of the errors with which ours may refuse what http.Transport takes.
var stricter = []string{"changes the protocol", "not with HTTP/1.1", "status", "control characters", "folded", "characters that none may have",
	"trailers ends with a bare LF", "Content-Length headers", "both Content-Length", "HTTP/1.0 does not know",
	"a chunk larger than any"}

// laxer are parts of the errors with which http.Transport refuses what ours takes: trailers that are longer than its
// buffer, and announcements of trailers, which ours does not read.
var laxer = []string{"suspiciously long trailer", "bad trailer key"}

// FuzzResponse: whatever a server sends, ours understands what http.Transport does, or refuses it for a declared reason.
func FuzzResponse(f *testing.F) {
	for _, a := range responses {
		f.Add(a.method == "HEAD", []byte(a.raw))
	}
	f.Fuzz(func(t *testing.T, head bool, raw []byte) {
		method := "GET"
		if head {
			method = "HEAD"
		}
		dial := func(context.Context, string, string) (net.Conn, error) { return newCanned(raw), nil }
		http1 := &http.Transport{DisableCompression: true, DialContext: dial}
		defer http1.CloseIdleConnections()
		ours := outcomeOf(newTransport(t, upstream.Config{DialContext: dial}), method, "http://h/")
		theirs := outcomeOf(http1, method, "http://h/")
		if contains(theirs.err, laxer) || contains(ours.err, stricter) && errors.As(ours.err, new(*wire.MalformedError)) {
			return
		}
		if diff := compare(theirs, ours); diff != "" {
			t.Errorf("errors %v and %v, -http.Transport +ours:\n%s", theirs.err, ours.err, diff)
		}
	})
}

func contains(err error, parts []string) bool {
	for _, part := range parts {
		if err != nil && strings.Contains(err.Error(), part) {
			return true
		}
	}
	return false
}

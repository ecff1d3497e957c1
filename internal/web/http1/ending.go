//go:build linux

package http1

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/web/http1/head"
)

// refuse answers a request that never reached the handler, and ends the connection.
func (c *conn) refuse(err error) {
	var r *head.Refusal
	if errors.As(err, &r) {
		w := &response{conn: c, request: &http.Request{Method: http.MethodGet, ProtoMinor: 1}, header: make(http.Header), close: true}
		(&openai.Error{Status: r.Status, Type: openai.TypeInvalidRequest, Code: "malformed_request", Message: r.Message}).Write(w)
		if w.finish() == nil {
			c.close()
			return
		}
	}
	_ = c.net.Close() // nothing is owed to the client
}

// close ends the connection. Bytes that were sent and not read would turn the close into a reset, which can destroy the
// answer before the client has read it; so these are awaited for a moment.
func (c *conn) close() {
	if half, ok := c.net.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = c.net.SetReadDeadline(time.Now().Add(linger)) // it fails where the next read does
		_, _ = io.Copy(io.Discard, c.net)
	}
	_ = c.net.Close() // nothing more is owed
}

// reset breaks the connection off, without a farewell of TLS: an answer that ends where its connection ends would look complete
// otherwise.
func (c *conn) reset() {
	below := socket(c.net)
	if sys, ok := below.(interface{ SetLinger(seconds int) error }); ok {
		_ = sys.SetLinger(0) // fails for a connection that is gone
	}
	_ = below.Close()
}

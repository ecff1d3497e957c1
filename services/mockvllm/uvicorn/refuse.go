package uvicorn

import (
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/head"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/httptools"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/websocket"
)

// lingering is for how long what a client still sends is read and dropped after a refusal, so that the reset which unread bytes
// cause does not overtake the answer.
const lingering = 500 * time.Millisecond

// refuse answers what is no request.
func (c *conn) refuse() {
	c.server.log("WARNING:  Invalid HTTP request received.")
	_, _ = c.nc.Write(head.AppendRefusal(nil, http.StatusBadRequest, "Invalid HTTP request received."))
	c.linger()
}

// refuse answers the bytes behind a request, and ends that.
func (x *exchange) refuse() {
	x.conn.refuse()
	x.conn.abort()
}

// refuseWebsocket answers a handshake, and logs it. A client that gets no answer is waited for until it leaves.
func (c *conn) refuseWebsocket(head string) {
	h := &c.parser.Head
	status, answer := websocket.Refusal(h, head)
	if answer == nil {
		_ = c.nc.SetReadDeadline(time.Time{})
		for c.in.fill() == nil {
			c.in.reset()
		}
		return
	}
	if status == http.StatusForbidden {
		path := string(httptools.AppendQuoted(nil, httptools.Unquote(h.Path.Of(head)), h.Query.Of(head)))
		c.server.log(`INFO:     %s - "WebSocket %s" 403`, c.remote, path)
	}
	c.server.log("INFO:     connection rejected (%d %s)", status, http.StatusText(status))
	_, _ = c.nc.Write(answer) // the client may have left
	c.linger()
}

// linger ends the sending half and reads on for a while.
func (c *conn) linger() {
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.timed = true
	_ = c.nc.SetReadDeadline(time.Now().Add(lingering))
	for c.in.fill() == nil {
		c.in.reset()
	}
}

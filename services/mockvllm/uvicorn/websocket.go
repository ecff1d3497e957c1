package uvicorn

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/httptools"
)

// wantsWebsocket decides as uvicorn does, by the last Connection and Upgrade.
func wantsWebsocket(h *httptools.Head, head string) bool {
	if !strings.EqualFold(last(h, head, "upgrade"), "websocket") {
		return false
	}
	for token := range strings.SplitSeq(last(h, head, "connection"), ",") {
		if strings.EqualFold(strings.TrimSpace(token), "upgrade") {
			return true
		}
	}
	return false
}

// refuseWebsocket answers a handshake, and logs it. One that is sound has got as far as the routes.
func (c *conn) refuseWebsocket(head string) {
	h := &c.parser.Head
	status, answer := websocket(h, head)
	if status == forbidden {
		path := string(httptools.AppendQuoted(nil, httptools.Unquote(h.Path.Of(head)), h.Query.Of(head)))
		c.server.log(`INFO:     %s - "WebSocket %s" 403`, c.remote, path)
	}
	c.server.log("INFO:     connection rejected (%s)", status)
	_, _ = c.nc.Write(answer) // the client may have left
	c.linger()
}

const forbidden = "403 Forbidden"

// websocket refuses a websocket in the words of the library that uvicorn leaves the connection to: a generation model has
// no route for one.
func websocket(h *httptools.Head, head string) (status string, answer []byte) {
	status, text, allow := "400 Bad Request", "", ""
	key, version := last(h, head, "sec-websocket-key"), last(h, head, "sec-websocket-version")
	raw, err := base64.StdEncoding.DecodeString(key)
	switch {
	case h.Method != "GET":
		status, text, allow = "405 Method Not Allowed", "unsupported HTTP method: "+h.Method, "Allow: GET\r\n"
	case key == "":
		text = "missing Sec-WebSocket-Key header"
	case count(h, head, "sec-websocket-key") > 1:
		text = "invalid Sec-WebSocket-Key header: multiple values"
	case err != nil:
		text = "invalid Sec-WebSocket-Key header: " + key + "; Incorrect padding"
	case len(raw) != 16:
		text = "invalid Sec-WebSocket-Key header: " + key
	case version == "":
		text = "missing Sec-WebSocket-Version header"
	case count(h, head, "sec-websocket-version") > 1:
		text = "invalid Sec-WebSocket-Version header: multiple values"
	case version != "13":
		text = "invalid Sec-WebSocket-Version header: " + version
	default:
		status = forbidden
	}
	if text != "" {
		text = "Failed to open a WebSocket connection: " + text + ".\n"
	}
	return status, fmt.Appendf(nil, "HTTP/1.1 %s\r\nDate: %s\r\nConnection: close\r\nContent-Length: %d\r\nContent-Type: text/plain; charset=utf-8\r\n%s\r\n%s",
		status, time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), len(text), allow, text)
}

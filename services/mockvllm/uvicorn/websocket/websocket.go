// Package websocket refuses websockets as uvicorn 0.54 does with the library websockets, to which it leaves such a connection: a
// generation model of vLLM has no route for one.
package websocket

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/httptools"
)

// Wanted decides as uvicorn does, by the last Connection and Upgrade of the head that h describes.
func Wanted(h *httptools.Head, head string) bool {
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

// Refusal returns the answer to a handshake, and its status: 403 where the handshake is sound and has got as far as the routes.
// A handshake that the library cannot read has none (0, nil): the library keeps the error, and uvicorn does not ask for it.
func Refusal(h *httptools.Head, head string) (status int, answer []byte) {
	if !readable(h, head) {
		return 0, nil
	}
	status, text, allow := http.StatusBadRequest, "", ""
	key, version := last(h, head, "sec-websocket-key"), last(h, head, "sec-websocket-version")
	raw, err := base64.StdEncoding.DecodeString(key)
	switch {
	case h.Method != http.MethodGet:
		status, text, allow = http.StatusMethodNotAllowed, "unsupported HTTP method: "+h.Method, "Allow: GET\r\n"
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
		status = http.StatusForbidden
	}
	if text != "" {
		text = "Failed to open a WebSocket connection: " + text + ".\n"
	}
	return status, fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\nContent-Length: %d\r\nContent-Type: text/plain; charset=utf-8\r\n%s\r\n%s",
		status, http.StatusText(status), time.Now().UTC().Format(http.TimeFormat), len(text), allow, text)
}

// What the library reads of a handshake, at most.
const (
	mostFields = 128
	mostLine   = 8192 // bytes, with the end of the line
)

// readable tells whether the library can read a handshake as uvicorn writes it anew. A body it does not take.
func readable(h *httptools.Head, head string) bool {
	if len(h.Fields) > mostFields || len(h.Method+"  HTTP/1.1\r\n")+len(h.Target.Of(head)) > mostLine {
		return false
	}
	return !slices.ContainsFunc(h.Fields, func(f httptools.Field) bool {
		name, value := f.Name.Of(head), f.Value.Of(head)
		return strings.EqualFold(name, "transfer-encoding") || strings.EqualFold(name, "content-length") && value != "0" ||
			len(name+": "+value+"\r\n") > mostLine
	})
}

// last returns the value of the last field of that name.
func last(h *httptools.Head, head, name string) string {
	for i := len(h.Fields) - 1; i >= 0; i-- {
		if strings.EqualFold(h.Fields[i].Name.Of(head), name) {
			return h.Fields[i].Value.Of(head)
		}
	}
	return ""
}

// count tells how often a head has a field.
func count(h *httptools.Head, head, name string) (n int) {
	for i := range h.Fields {
		if strings.EqualFold(h.Fields[i].Name.Of(head), name) {
			n++
		}
	}
	return n
}

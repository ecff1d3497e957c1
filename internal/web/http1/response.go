//go:build linux

package http1

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/net/http/httpguts"
)

// response is the http.ResponseWriter of one request. It belongs to the goroutine that serves the connection.
//
// What the handler writes is collected in conn.out, behind the header, and goes to the client when out is full, when the
// handler flushes, or when it returns: a small answer is one write.
type response struct {
	conn    *conn
	request *http.Request
	header  http.Header
	status  int   // 0 until WriteHeader
	length  int64 // as announced; -1 for unknown
	written int64 // of the body

	sent     bool // the header went into conn.out
	chunked  bool
	bodyless bool // the answer to HEAD, 204 and 304
	close    bool // the connection ends with this answer
	err      error
}

func (w *response) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter. Informational answers but 101 are sent at once.
func (w *response) WriteHeader(status int) {
	switch {
	case status < 100 || status > 999:
		panic(fmt.Sprintf("invalid status %d", status))
	case w.status != 0:
		return
	case status < 200:
		if status != http.StatusSwitchingProtocols && w.request.ProtoMinor > 0 {
			w.conn.out = append(w.conn.out, "HTTP/1.1 "...)
			w.conn.out, _, _ = appendFields(appendStatus(w.conn.out, status), w.header)
			w.conn.out = append(w.conn.out, "\r\n"...)
			w.fail(w.conn.flush())
		}
		return
	}
	w.status = status
	w.length = -1
	if text := w.header["Content-Length"]; len(text) > 0 {
		if n, err := strconv.ParseUint(text[0], 10, 63); err == nil {
			w.length = int64(n)
		} else {
			delete(w.header, "Content-Length")
		}
	}
	w.bodyless = w.request.Method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified
}

// Write implements io.Writer. After an error the connection is lost.
func (w *response) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.err != nil:
		return 0, w.err
	case w.bodyless && w.request.Method == http.MethodHead:
		w.written += int64(len(b))
		return len(b), nil
	case w.bodyless:
		return 0, http.ErrBodyNotAllowed
	case w.length >= 0 && w.written+int64(len(b)) > w.length:
		return 0, http.ErrContentLength
	}
	w.written += int64(len(b))
	if !w.sent && (w.length < 0 || w.conn.body.unread()) && len(w.conn.held)+len(b) <= maxHeld {
		// Perhaps this is all. Then its length can be told, and whether the rest of the request's body ends the connection.
		w.conn.held = append(w.conn.held, b...)
		return len(b), nil
	}
	w.sendHeader(false)
	w.body(b)
	if len(w.conn.out) >= maxOut {
		w.fail(w.conn.flush())
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(b), nil
}

// WriteString implements io.StringWriter.
func (w *response) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// Flush implements http.Flusher.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError is what http.ResponseController calls.
func (w *response) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.sendHeader(false)
	if w.err == nil {
		w.fail(w.conn.flush())
	}
	return w.err
}

// SetReadDeadline bounds the reading of the request's body, in place of the server's patience.
func (w *response) SetReadDeadline(t time.Time) error {
	w.conn.src.pace = nil
	return w.conn.readBefore(t)
}

// SetWriteDeadline bounds the writing of the answer, in place of the server's patience.
func (w *response) SetWriteDeadline(t time.Time) error {
	w.conn.writeBy, w.conn.writeOwn = t, true
	return w.conn.net.SetWriteDeadline(t)
}

// EnableFullDuplex has nothing to switch: the body can be read after the answer was begun.
func (w *response) EnableFullDuplex() error { return nil }

// body adds to the answer's body.
func (w *response) body(b []byte) {
	if len(b) == 0 || w.err != nil {
		return
	}
	if w.chunked {
		w.conn.out = strconv.AppendInt(w.conn.out, int64(len(b)), 16)
		w.conn.out = append(w.conn.out, "\r\n"...)
	}
	if len(b) > maxOut { // not worth a copy
		w.fail(w.conn.flush())
		w.fail(w.conn.write(b))
	} else {
		w.conn.out = append(w.conn.out, b...)
	}
	if w.chunked {
		w.conn.out = append(w.conn.out, "\r\n"...)
	}
}

// sendHeader begins the answer, with what is held of its body. whole says that nothing of the body follows.
func (w *response) sendHeader(whole bool) {
	if w.sent {
		return
	}
	w.sent = true
	if w.length < 0 && whole && !w.bodyless {
		w.length = int64(len(w.conn.held))
		w.header["Content-Length"] = []string{strconv.FormatInt(w.length, 10)}
	}
	if w.status == http.StatusNoContent {
		delete(w.header, "Content-Length") // RFC 9110, section 8.6: a client that believes it takes the next answer for a body
	}
	out := append(w.conn.out, "HTTP/1.1 "...)
	out, connection, dated := appendFields(appendStatus(out, w.status), w.header)
	out = w.appendFraming(out, connection)
	if !dated {
		out = append(out, "Date: "...)
		out = append(append(out, w.conn.server.dateNow()...), "\r\n"...)
	}
	w.conn.out = append(out, "\r\n"...)
	w.body(w.conn.held)
	w.conn.held = w.conn.held[:0]
}

// endsWithClose tells an answer whose end is that of its connection, as HTTP/1.0 knows no chunks.
func (w *response) endsWithClose() bool { return !w.bodyless && !w.chunked && w.length < 0 }

// appendFraming says how the answer ends (RFC 9112, section 6.3) and whether the connection outlives it. connection is what the handler
// says of that.
func (w *response) appendFraming(out []byte, connection []string) []byte {
	switch {
	case w.bodyless || w.length >= 0:
	case w.request.ProtoMinor > 0:
		w.chunked = true
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	default:
		w.close = true
	}
	w.close = w.close || w.conn.body.unasked() || w.conn.body.endless() || w.conn.server.stopping.Load() ||
		httpguts.HeaderValuesContainsToken(connection, "close")
	switch {
	case w.close:
		return append(out, "Connection: close\r\n"...)
	case w.request.ProtoMinor == 0:
		return append(out, "Connection: keep-alive\r\n"...)
	}
	return appendField(out, "Connection", connection)
}

var errShort = errors.New("the handler wrote less than it announced")

// finish ends the answer once the handler has returned. After an error the connection is lost.
func (w *response) finish() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.sendHeader(true)
	if w.chunked && w.err == nil {
		w.conn.out = append(w.conn.out, "0\r\n\r\n"...)
	}
	w.fail(w.conn.flush())
	if w.err == nil && !w.bodyless && w.length >= 0 && w.written < w.length {
		w.err = errShort
	}
	return w.err
}

func (w *response) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

var _ interface {
	http.ResponseWriter
	http.Flusher
	io.StringWriter
} = (*response)(nil)

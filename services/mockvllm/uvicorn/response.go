package uvicorn

import (
	"bufio"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/uvicorn/head"
)

// response is the http.ResponseWriter. What is written waits in a buffer for a Flush, for the end, or until it is much.
type response struct {
	exchange *exchange
	header   http.Header
	out      *[]byte // what is to be sent: the head if it was not, room for the size of a chunk, the data
	data     int     // where the data begin in out
	left     uint64  // of the declared length
	began    bool    // status and headers are fixed
	head     bool    // the request is HEAD
	bare     bool    // nothing of the body is sent
	chunked  bool
	keep     bool // the connection may serve another request
	hijacked bool
	err      error // of the first write that failed
}

const (
	sizeRoom   = len("ffffffff\r\n")
	muchOutput = 64 << 10
)

var outputs = sync.Pool{New: func() any { b := make([]byte, 0, 2<<10); return &b }}

// Header returns the headers, which are fixed by the first write. One answer after the other has the same map.
func (w *response) Header() http.Header {
	c := w.exchange.conn
	switch {
	case w.header != nil:
	case c.header != nil:
		w.header, c.header = c.header, nil
	default:
		w.header = make(http.Header)
	}
	return w.header
}

// WriteHeader fixes status and headers. Informational answers are not sent.
func (w *response) WriteHeader(status int) {
	if w.began || w.hijacked || status < 200 {
		return
	}
	w.began = true
	w.bare = w.head || status == http.StatusNoContent || status == http.StatusNotModified
	b := head.Append(*w.buffer(), status, w.header)
	if length := w.header["Content-Length"]; len(length) > 0 && length[0] != "" {
		w.left, w.err = strconv.ParseUint(length[0], 10, 64)
	} else {
		w.chunked = !w.bare
	}
	if token := w.header["Connection"]; len(token) > 0 && strings.EqualFold(token[0], "close") {
		w.keep = false
	} else if w.exchange.conn.server.stopping.Load() || !w.keep {
		w.keep = false
		b = append(b, "connection: close\r\n"...)
	}
	if w.chunked {
		b = append(b, "transfer-encoding: chunked\r\n"...)
	}
	*w.out = append(b, "\r\n"...)
	w.data = len(*w.out)
	if w.chunked {
		w.header = nil // the answer may take long
	}
}

func (w *response) buffer() *[]byte {
	if w.out == nil {
		w.out, w.data = outputs.Get().(*[]byte), 0
	}
	return w.out
}

// Write keeps p until the next Flush. More than the declared length is http.ErrContentLength.
func (w *response) Write(p []byte) (int, error) {
	n, err := accept(w, len(p))
	if n > 0 {
		*w.out = append(*w.out, p[:n]...)
	}
	return w.written(len(p), err)
}

// WriteString is Write.
func (w *response) WriteString(s string) (int, error) {
	n, err := accept(w, len(s))
	if n > 0 {
		*w.out = append(*w.out, s[:n]...)
	}
	return w.written(len(s), err)
}

// accept makes room for n bytes of data and returns how many are to be appended.
func accept(w *response, n int) (int, error) {
	if w.hijacked {
		return 0, http.ErrHijacked
	}
	if !w.began {
		w.WriteHeader(http.StatusOK)
	}
	if w.err != nil || w.bare || n == 0 {
		return 0, w.err
	}
	if !w.chunked {
		if uint64(n) > w.left {
			w.keep = false
			return 0, http.ErrContentLength
		}
		w.left -= uint64(n)
	}
	out := w.buffer()
	if w.chunked && len(*out) == w.data {
		*out = append(*out, "0000000000"[:sizeRoom]...)
	}
	return n, nil
}

func (w *response) written(n int, err error) (int, error) {
	if err == nil && w.out != nil && len(*w.out) > muchOutput {
		err = w.send("")
	}
	if err != nil {
		return 0, err
	}
	return n, nil
}

// Flush sends what was written, as one chunk.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError is Flush for http.ResponseController.
func (w *response) FlushError() error {
	if w.hijacked {
		return http.ErrHijacked
	}
	if !w.began {
		w.WriteHeader(http.StatusOK)
	}
	if w.out == nil {
		return w.err
	}
	return w.send("")
}

// send writes the buffer, and tail behind it, in one piece.
func (w *response) send(tail string) error {
	out := *w.buffer()
	from := 0
	if w.chunked && len(out) > w.data {
		var hex [sizeRoom]byte
		size := append(strconv.AppendUint(hex[:0], uint64(len(out)-w.data-sizeRoom), 16), "\r\n"...)
		from = sizeRoom - len(size)
		copy(out[from:], out[:w.data]) // the head moves up to the size
		copy(out[from+w.data:], size)
		out = append(out, "\r\n"...)
	}
	out = append(out, tail...)
	if w.err == nil && len(out) > from {
		_, w.err = w.exchange.conn.nc.Write(out[from:])
	}
	if *w.out = out[:0]; cap(out) <= 2*muchOutput {
		outputs.Put(w.out)
	}
	w.out, w.data = nil, 0
	return w.err
}

// end completes the answer. It returns false when the connection cannot go on.
func (w *response) end() bool {
	if !w.began {
		w.WriteHeader(http.StatusOK)
	}
	tail := ""
	if w.chunked {
		tail = "0\r\n\r\n"
	}
	return w.send(tail) == nil && w.keep && (w.left == 0 || w.bare)
}

// fail answers for a handler that has panicked, if it had not begun to. Else the answer breaks off.
func (w *response) fail(answer bool) {
	answer = answer && !w.began
	w.began, w.bare, w.keep, w.chunked = true, true, false, false
	out := w.buffer()
	*out = (*out)[:0]
	if !answer {
		return
	}
	const text = "Internal Server Error"
	if *out = head.AppendRefusal(*out, http.StatusInternalServerError, text); w.head {
		*out = (*out)[:len(*out)-len(text)]
	}
	w.data = len(*out)
}

// SetWriteDeadline is for http.ResponseController.
func (w *response) SetWriteDeadline(t time.Time) error {
	return w.exchange.conn.nc.SetWriteDeadline(t)
}

// Hijack hands the connection to the handler, unsent answers being dropped. The server closes it no more, unless Close comes
// while the handler runs.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.hijacked {
		return nil, nil, http.ErrHijacked
	}
	w.hijacked = true
	return w.exchange.conn.hijack()
}

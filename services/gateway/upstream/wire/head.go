package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/fluidmcp/fluidmcp/internal/httpfield"
)

// MalformedError says why what a server sent is not taken for an answer.
type MalformedError struct{ What string }

func (e *MalformedError) Error() string { return "malformed answer: " + e.What }

func malformed(format string, args ...any) error {
	return &MalformedError{What: fmt.Sprintf(format, args...)}
}

// keptHead bounds what a reader in the pool remembers. Heads of model servers have a few hundred bytes.
const keptHead = 16 << 10

// Reader reads the answers of one connection, one after another. It is one piece of memory with all that a body needs: what a stream
// looks at between two waits has left the processor's caches each time.
type Reader struct {
	bufio.Reader // its own size, 4 KiB, is the longest head of a chunk as well
	chunks       chunks
	counted      counted
	head         []byte // lines of the head that is being read
}

var readers = sync.Pool{New: func() any { return new(Reader) }}

// NewReader returns a reader that should be recycled after use.
func NewReader(src io.Reader) *Reader {
	r, _ := readers.Get().(*Reader)
	r.Reset(src)
	return r
}

// Recycle makes the buffers available to others. Nobody may use r any more.
func (r *Reader) Recycle() {
	r.Reset(nil)
	r.chunks, r.counted = chunks{}, counted{}
	if cap(r.head) > keptHead {
		r.head = nil
	}
	readers.Put(r)
}

// ReadHead reads the head of the answer to req into resp, and returns its body, http.NoBody when it has none. Heads of
// interim answers (1xx) are skipped; they and the final one may take limit bytes together. room is for values of the header.
func (r *Reader) ReadHead(resp *http.Response, req *http.Request, limit int, room []string) (io.Reader, error) {
	resp.Request = req
	left := limit
	for {
		if err := r.readLines(resp, &left); err != nil {
			return nil, torn(err)
		}
		fields, found, err := parseFields(string(r.head), room)
		if err != nil {
			return nil, err
		}
		switch {
		case resp.StatusCode == http.StatusSwitchingProtocols:
			return nil, malformed("it changes the protocol (101), for which nobody asked")
		case resp.StatusCode < http.StatusOK:
			continue
		}
		resp.Header = fields
		return r.body(resp, found, limit)
	}
}

// readLines reads the status line into resp, and the lines of the fields, without the blank one, into r.head.
func (r *Reader) readLines(resp *http.Response, left *int) error {
	r.head = r.head[:0]
	if err := r.readLine(left); err != nil {
		return err
	}
	// At once: a server that speaks something else may say one line and wait.
	line := bytes.TrimSuffix(bytes.TrimSuffix(r.head, []byte("\n")), []byte("\r"))
	if string(line) == "HTTP/1.1 200 OK" { // nearly always
		resp.Proto, resp.ProtoMajor, resp.ProtoMinor, resp.StatusCode, resp.Status = "HTTP/1.1", 1, 1, http.StatusOK, "200 OK"
	} else if err := parseStatus(string(line), resp); err != nil {
		return err
	}
	r.head = r.head[:0]
	return r.readFields(left, false)
}

// readFields appends lines to r.head up to the blank one. They may end with a bare LF unless crlf says otherwise.
func (r *Reader) readFields(left *int, crlf bool) error {
	for {
		start := len(r.head)
		if err := r.readLine(left); err != nil {
			return err
		}
		line := r.head[start:]
		whole := bytes.HasSuffix(line, []byte("\r\n"))
		switch {
		case crlf && !whole:
			return malformed("a line of its trailers ends with a bare LF")
		case len(line) == 1 || len(line) == 2 && whole:
			r.head = r.head[:start]
			return nil
		}
	}
}

// readLine appends one line, with its end, to r.head.
func (r *Reader) readLine(left *int) error {
	for {
		part, err := r.ReadSlice('\n')
		if *left -= len(part); *left < 0 {
			return malformed("its header is over the limit")
		}
		r.head = append(r.head, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// torn is the error of a message that ended too early.
func torn(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// parseStatus reads a status line: HTTP/1.1 200 OK. The text may be missing.
func parseStatus(line string, resp *http.Response) error {
	proto, rest, _ := strings.Cut(line, " ")
	switch proto {
	case "HTTP/1.1":
		resp.Proto, resp.ProtoMajor, resp.ProtoMinor = "HTTP/1.1", 1, 1
	case "HTTP/1.0":
		resp.Proto, resp.ProtoMajor, resp.ProtoMinor = "HTTP/1.0", 1, 0
	default:
		return malformed("it begins with %.40q, not with HTTP/1.1", line)
	}
	code, _, _ := strings.Cut(rest, " ")
	if len(code) != 3 || code[0] < '1' || code[0] > '9' || !digits(code) {
		return malformed("status %.40q", rest)
	}
	if !httpfield.IsValue(rest) {
		return malformed("control characters in its status line")
	}
	resp.StatusCode = int(code[0]-'0')*100 + int(code[1]-'0')*10 + int(code[2]-'0')
	resp.Status = rest
	return nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

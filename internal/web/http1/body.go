//go:build linux

package http1

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/chunk"
	"github.com/fluidmcp/fluidmcp/internal/httpfield"
	"github.com/fluidmcp/fluidmcp/internal/web/http1/head"
)

const (
	// maxChunkLine bounds the line of a chunk's size, with its extensions, and a line of the trailer.
	maxChunkLine = 4096
	// maxTrailer bounds the trailer.
	maxTrailer = 64 << 10
)

var errChunk = errors.New("malformed chunk")

// body is the body of a request. It may be read by another goroutine than the handler's, such as one that sends it on, also when
// the handler has returned: then it gives an error.
type body struct {
	conn   *conn
	length int64       // -1 for chunks
	closed atomic.Bool // by the handler or after it

	asking  sync.Mutex
	expects bool // the client waits for 100 Continue

	mu    sync.Mutex // held while something is read, and guards what follows
	left  int64      // of the length or of the chunk
	first bool       // no chunk was read yet
	done  atomic.Bool
	err   error
	pace  pace
}

func (b *body) begin(c *conn, f head.Framing) {
	b.conn, b.length, b.expects, b.left, b.first = c, f.Length, f.Expects, max(0, f.Length), true
	b.pace = pace{over: &b.closed, stalled: c.server.Stalled, patience: c.server.Patience, left: c.server.Patience}
}

var errClosed = errors.New("the request's body was closed")

func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed.Load():
		return 0, errClosed
	case b.err != nil:
		return 0, b.err
	case len(p) == 0:
		return 0, nil
	}
	if err := b.ask(); err != nil {
		return 0, b.fail(err)
	}
	return b.next(p)
}

// ask lets a client send that waits for 100 Continue.
func (b *body) ask() error {
	b.asking.Lock()
	defer b.asking.Unlock()
	if !b.expects {
		return nil
	}
	b.expects = false
	if err := b.conn.net.SetWriteDeadline(time.Now().Add(b.pace.patience)); err != nil {
		return err
	}
	_, err := b.conn.net.Write([]byte("HTTP/1.1 100 Continue\r\n\r\n"))
	return err
}

// unasked is called when the answer begins, after which nothing else may be said. It reports that the client still waits for 100
// Continue: nobody knows then whether it will send the body or its next request.
func (b *body) unasked() bool {
	if b == nil {
		return false
	}
	b.asking.Lock()
	defer b.asking.Unlock()
	waits := b.expects
	b.expects = false
	return waits
}

// next reads without asking whether it may.
func (b *body) next(p []byte) (int, error) {
	n, err := b.read(p)
	if err == io.EOF {
		b.done.Store(true)
	}
	b.err = err
	return n, err
}

func (b *body) read(p []byte) (int, error) {
	if b.length < 0 && b.left == 0 {
		if err := b.nextChunk(); err != nil {
			return 0, err
		}
	}
	n, err := b.conn.in.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	switch {
	case err != nil:
		return n, unexpected(err)
	case b.left > 0:
		return n, nil
	case b.length >= 0:
		return n, io.EOF // with the last bytes, so that nobody has to ask again
	}
	return n, nil
}

// nextChunk reads the line before a chunk. The last chunk, and the trailer after it, is io.EOF.
func (b *body) nextChunk() error {
	if !b.first {
		if line, err := readLine(b.conn.in, maxChunkLine); err != nil || len(line) > 0 {
			return cmp.Or(err, errChunk)
		}
	}
	b.first = false
	line, err := readLine(b.conn.in, maxChunkLine)
	if err != nil {
		return err
	}
	var rest []byte
	if b.left, rest, err = chunk.Size(line); err != nil {
		return errChunk
	}
	if rest = bytes.TrimLeft(rest, " \t"); len(rest) > 0 && rest[0] != ';' {
		return errChunk
	}
	if b.left > 0 {
		return nil
	}
	for total := 0; total < maxTrailer; total += len(line) {
		if line, err = readLine(b.conn.in, maxChunkLine); err != nil {
			return err
		}
		if len(line) == 0 {
			return io.EOF
		}
		if name, _, ok := bytes.Cut(line, []byte(":")); !ok || !httpfield.IsToken(string(name)) {
			return errChunk // another request, perhaps
		}
	}
	return fmt.Errorf("%w: the trailer is too large", errChunk)
}

// unread tells that the end of the body was not seen yet.
func (b *body) unread() bool { return b != nil && !b.done.Load() }

// endless tells a body with more to come than is read after the answer, for all that is known.
func (b *body) endless() bool { return b.unread() && (b.length < 0 || b.length > maxUnread) }

// seize takes the body away from whoever reads it. What is under way ends with an error.
func (b *body) seize() {
	if b == nil {
		return
	}
	b.closed.Store(true)
	if !b.mu.TryLock() {
		_ = b.conn.net.SetReadDeadline(time.Unix(1, 0)) // fails for a connection that is gone, on which nothing waits
		b.mu.Lock()
		b.conn.readBy, b.pace.deadline = time.Time{}, time.Time{} // so that the next one is set anew
	}
	b.mu.Unlock()
}

// discard reads the rest of a body that was seized, unless that is much. It reports whether the end was reached.
func (b *body) discard() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done.Load() || b.err != nil || b.length > maxUnread || b.conn.limit(linger) != nil {
		return b.done.Load()
	}
	b.conn.src.pace = nil
	_, err := io.Copy(io.Discard, io.LimitReader(rest{b}, maxUnread))
	return err == nil && b.done.Load()
}

// rest is what is left of a body.
type rest struct{ *body }

func (r rest) Read(p []byte) (int, error) { return r.next(p) }

func (b *body) fail(err error) error {
	b.err = err
	return err
}

// Close gives the rest of the body up. What becomes of the connection is decided when the handler has returned.
func (b *body) Close() error {
	b.closed.Store(true)
	return nil
}

// readLine reads a line that ends with CRLF, and returns it without.
func readLine(in *bufio.Reader, limit int) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull) || len(line) > limit:
		return nil, fmt.Errorf("%w: a line is too long", errChunk)
	case err != nil:
		return nil, unexpected(err)
	}
	line, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok || bytes.IndexByte(line, '\r') >= 0 {
		return nil, errChunk
	}
	return line, nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

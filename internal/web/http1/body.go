//go:build linux

package http1

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"

	"golang.org/x/net/http/httpguts"
)

const (
	// maxChunkLine bounds the line of a chunk's size, with its extensions, and a line of the trailer.
	maxChunkLine = 4096
	// maxTrailer bounds the trailer.
	maxTrailer = 64 << 10
)

var errChunk = errors.New("malformed chunk")

// body is the body of a request.
type body struct {
	conn *conn
	framing
	left   int64 // of the length or of the chunk
	first  bool  // no chunk was read yet
	done   bool
	err    error
	closed bool
	pace   pace
}

func (b *body) Read(p []byte) (int, error) {
	switch {
	case b.closed:
		return 0, errors.New("the request's body was closed")
	case b.err != nil:
		return 0, b.err
	case len(p) == 0:
		return 0, nil
	}
	if b.expects {
		b.expects = false
		if err := b.conn.writeContinue(); err != nil {
			return 0, b.fail(err)
		}
	}
	n, err := b.read(p)
	if err == io.EOF {
		b.done = true
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
	size, _, _ := bytes.Cut(line, []byte(";"))
	if b.left, err = parseHex(bytes.TrimRight(size, " \t")); err != nil {
		return err
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
		if name, _, ok := bytes.Cut(line, []byte(":")); !ok || !httpguts.ValidHeaderFieldName(string(name)) {
			return errChunk // another request, perhaps
		}
	}
	return fmt.Errorf("%w: the trailer is too large", errChunk)
}

func (b *body) fail(err error) error {
	b.err = err
	return err
}

// Close gives the rest of the body up. What becomes of the connection is decided when the handler has returned.
func (b *body) Close() error {
	b.closed = true
	return nil
}

// parseHex reads the size of a chunk.
func parseHex(digits []byte) (n int64, err error) {
	if len(digits) == 0 || len(digits) > 15 {
		return 0, errChunk
	}
	for _, c := range digits {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, errChunk
		}
		n = n<<4 | int64(c)
	}
	return n, nil
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

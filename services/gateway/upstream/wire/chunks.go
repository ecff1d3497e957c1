package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/fluidmcp/fluidmcp/internal/chunk"
)

const (
	// freeOverhead is what each chunk may take beside its data, and maxOverhead what a body may take above that and twice its data. A
	// server that sends byte by byte is well below; one that hides little data between long extensions is not.
	freeOverhead = 16
	maxOverhead  = 16 << 10
)

// chunks is a chunked body (RFC 9112, 7.1). The last chunk is followed by trailers, which go to resp.Trailer.
type chunks struct {
	in       *Reader
	resp     *http.Response
	limit    int   // of the trailers
	left     int64 // of the data of this chunk
	ends     bool  // after them a line ends
	overhead int64 // as it counts against maxOverhead
}

// Read gives what is there, of one chunk or more. io.EOF comes with the last byte where that is known.
func (b *chunks) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if b.left == 0 {
			if n > 0 && !b.headHere() {
				return n, nil // the next chunk may have to be waited for
			}
			if err := b.next(); err != nil {
				return n, err
			}
			continue
		}
		if n > 0 && b.in.Buffered() == 0 {
			return n, nil
		}
		k, err := b.in.Read(p[n:min(int64(len(p)), int64(n)+b.left)])
		n += k
		b.left -= int64(k)
		if err != nil {
			return n, torn(err)
		}
	}
	return n, nil
}

// headHere tells whether the head of the next chunk is in the buffer.
func (b *chunks) headHere() bool {
	n := b.in.Buffered()
	if n <= 2 { // mostly the end of this one
		return false
	}
	here, _ := b.in.Peek(n)
	return bytes.IndexByte(here[2:], '\n') >= 0
}

// next reads the head of a chunk. io.EOF means that there is none any more, and that the trailers were read.
func (b *chunks) next() error {
	if b.ends {
		end, err := b.in.Peek(2)
		if err != nil {
			return torn(err)
		}
		if string(end) != "\r\n" {
			return malformed("a chunk is longer than it says")
		}
		_, _ = b.in.Discard(2)
	}
	line, err := b.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return malformed("the head of a chunk is too long")
	}
	if err != nil {
		return torn(err)
	}
	if b.left, err = chunkSize(line); err != nil {
		return err
	}
	b.overhead = max(0, b.overhead+int64(len(line))-freeOverhead-2*b.left)
	if b.overhead > maxOverhead {
		return malformed("its chunks have little but extensions")
	}
	if b.ends = b.left > 0; b.ends {
		return nil
	}
	return b.trailers()
}

// chunkSize reads the head of a chunk. Extensions mean nothing (RFC 9112, 7.1.1).
func chunkSize(line []byte) (int64, error) {
	size, rest, err := chunk.Size(line)
	switch {
	case errors.Is(err, chunk.ErrTooLarge):
		return 0, malformed("%s, %.20q", err, line)
	case err != nil || string(rest) != "\r\n" && !isExtension(rest):
		return 0, malformed("the head of a chunk is %.40q", line)
	}
	return size, nil
}

// isExtension tells what may follow the size of a chunk: nothing but blanks, or whatever begins with a semicolon.
func isExtension(rest []byte) bool {
	rest, ended := bytes.CutSuffix(rest, []byte("\r\n"))
	rest = bytes.TrimRight(rest, " \t")
	return ended && bytes.IndexByte(rest, '\r') < 0 && (len(rest) == 0 || rest[0] == ';')
}

func (b *chunks) trailers() error {
	left := b.limit
	b.in.head = b.in.head[:0]
	if err := b.in.readFields(&left, true); err != nil { // as strict as with chunks
		return torn(err)
	}
	if len(b.in.head) > 0 {
		fields, _, err := parseFields(string(b.in.head), nil)
		if err != nil {
			return err
		}
		b.resp.Trailer = fields
	}
	return io.EOF
}

package wire

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/httpfield"
)

// chunkedCoding is what resp.TransferEncoding says; nobody changes it.
var chunkedCoding = []string{"chunked"}

// body finds out where the body of resp ends (RFC 9112, 6.3), and notes it in resp as net/http does.
func (r *Reader) body(resp *http.Response, found httpfield.Framing, limit int) (io.Reader, error) {
	resp.Close = hasToken(found.Connection, "close") || resp.ProtoMinor == 0 && !hasToken(found.Connection, "keep-alive")
	chunked, err := codings(resp, found.Codings)
	if err != nil {
		return nil, err
	}
	length, err := contentLength(found.Lengths)
	switch {
	case err != nil:
		return nil, err
	case chunked && length >= 0:
		return nil, malformed("it has both Content-Length and Transfer-Encoding")
	case resp.Request.Method == http.MethodHead:
		resp.ContentLength = length
		return http.NoBody, nil
	case resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified:
		// Of a 304 both tell about the answer that it stands for. A 204 that has them might have a body all the same.
		resp.Close = resp.Close || resp.StatusCode == http.StatusNoContent && (chunked || length > 0)
		return http.NoBody, nil
	case chunked:
		resp.ContentLength = -1
		r.chunks = chunks{in: r, resp: resp, limit: limit}
		return &r.chunks, nil
	case length == 0:
		return http.NoBody, nil
	case length > 0:
		resp.ContentLength = length
		r.counted = counted{src: &r.Reader, left: length}
		return &r.counted, nil
	}
	resp.ContentLength, resp.Close = -1, true
	return &r.Reader, nil
}

// codings takes the Transfer-Encoding out of the header. Only chunked is known.
func codings(resp *http.Response, values []string) (chunked bool, err error) {
	if values == nil {
		return false, nil
	}
	if resp.ProtoMinor == 0 {
		return false, malformed("it has a Transfer-Encoding, which HTTP/1.0 does not know")
	}
	if len(values) != 1 || !strings.EqualFold(values[0], "chunked") {
		return false, malformed("Transfer-Encoding %.40q is not known", values)
	}
	delete(resp.Header, "Transfer-Encoding")
	resp.TransferEncoding = chunkedCoding
	return true, nil
}

// contentLength is -1 when there is none.
func contentLength(values []string) (int64, error) {
	switch len(values) {
	case 0:
		return -1, nil
	case 1:
	default:
		return 0, malformed("it has %d Content-Length headers", len(values))
	}
	n, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil || !digits(values[0]) {
		return 0, malformed("Content-Length %.40q", values[0])
	}
	return n, nil
}

// counted is a body whose length is known.
type counted struct {
	src  io.Reader
	left int64
}

// Read gives io.EOF together with the last byte, so that nobody waits for it.
func (b *counted) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.src.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if b.left == 0 {
		return n, io.EOF
	}
	return n, torn(err)
}

package load

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
	"time"
)

// conn is a kept connection. It has one request at a time.
type conn struct {
	net.Conn
	in   *bufio.Reader
	text *bufio.Reader // over the body at hand
}

func dial(ctx context.Context, addr string, deadline time.Time) (*conn, error) {
	c, err := (&net.Dialer{Deadline: deadline}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, in: bufio.NewReaderSize(c, 4<<10)}, c.SetDeadline(deadline)
}

// head is as much of an answer's head as its body depends on.
type head struct {
	status  int
	length  int // -1 when the head does not tell
	chunked bool
	last    bool // the connection ends with the answer
}

func (c *conn) head() (head, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return head{}, err
	}
	h := head{length: -1}
	if _, err := fmt.Sscanf(string(line), "HTTP/1.1 %d", &h.status); err != nil {
		return head{}, fmt.Errorf("status line %q", line)
	}
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return head{}, err
		}
		name, value, found := bytes.Cut(bytes.TrimSpace(line), []byte(":"))
		if !found {
			return h, nil
		}
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if h.length, err = strconv.Atoi(string(value)); err != nil {
				return head{}, fmt.Errorf("content length %q", value)
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			h.chunked = bytes.EqualFold(value, []byte("chunked"))
		case bytes.EqualFold(name, []byte("Connection")):
			h.last = bytes.EqualFold(value, []byte("close"))
		}
	}
}

// body reads the body to its end. What ends with the connection cannot be told from what was cut.
func (c *conn) body(h head) io.Reader {
	switch {
	case h.chunked:
		return httputil.NewChunkedReader(c.in)
	case h.length >= 0:
		return io.LimitReader(c.in, int64(h.length))
	}
	return c.in
}

// finish reads what follows the last chunk.
func (c *conn) finish(h head) error {
	for h.chunked {
		line, err := c.in.ReadSlice('\n')
		if err != nil || len(line) <= len("\r\n") {
			return err
		}
	}
	return nil
}

func (c *conn) discard(h head) error {
	n, err := io.Copy(io.Discard, c.body(h))
	if err != nil {
		return err
	}
	if h.length > int(n) || n == 0 {
		return io.ErrUnexpectedEOF
	}
	return c.finish(h)
}

// lines gives every line of the body to each, without its end.
func (c *conn) lines(h head, each func([]byte) error) error {
	if c.text == nil {
		c.text = bufio.NewReaderSize(nil, 4<<10)
	}
	c.text.Reset(c.body(h))
	for {
		line, err := c.text.ReadSlice('\n')
		if err == io.EOF {
			return c.finish(h)
		}
		if err != nil {
			return err
		}
		if err := each(bytes.TrimSpace(line)); err != nil {
			return err
		}
	}
}

// newRequest is a chat completion request whose body has 1 KB.
func newRequest(o Options) []byte {
	const size = 1024
	form := `{"model":%q,"messages":[{"role":"user","content":"%s"}],"max_tokens":64,"temperature":0.5,"stream":%t}`
	empty := len(fmt.Sprintf(form, o.Model, "", o.Stream))
	body := fmt.Sprintf(form, o.Model, strings.Repeat("word ", size/5)[:max(1, size-empty)], o.Stream)
	req := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", o.Path, o.Addr, len(body))
	for _, header := range o.Headers {
		req = append(req, header+"\r\n"...)
	}
	return append(req, "\r\n"+body...)
}

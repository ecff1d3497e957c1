package golden

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// patience bounds one exchange.
const patience = 60 * time.Second

// Play sends a case to a server at addr ("host:port") and returns its answer. Each request has a connection of its own.
func (c Case) Play(ctx context.Context, addr string) (Answer, error) {
	for _, step := range c.Before {
		if _, err := step.Send(ctx, addr); err != nil {
			return Answer{}, fmt.Errorf("before: %w", err)
		}
	}
	answer, err := c.Request.Send(ctx, addr)
	for _, step := range c.After { // whatever came of it, the next case needs the server as it was
		if _, e := step.Send(ctx, addr); e != nil {
			err = errors.Join(err, fmt.Errorf("after: %w", e))
		}
	}
	return answer, err
}

// bytes is the request as it goes over the wire.
func (r Request) bytes() []byte {
	head := fmt.Sprintf("%s %s HTTP/1.1\r\n", r.Method, r.Path)
	for _, h := range r.Headers {
		head += fmt.Sprintf("%s: %s\r\n", h[0], h[1])
	}
	body := r.Binary
	if body == nil {
		body = []byte(r.Body)
	}
	return append(toLatin1(head+"\r\n"), body...)
}

// toLatin1 writes each letter of a head as one byte, and fromLatin1 reads it so: any byte may be in a head (RFC 9110,
// section 5.5), and Latin-1 is how Python reads and writes them.
func toLatin1(text string) []byte {
	var b []byte
	for _, r := range text {
		b = append(b, byte(r)) // the recorded heads hold nothing beyond U+00FF
	}
	return b
}

func fromLatin1(line string) string {
	var text strings.Builder
	for i := range len(line) {
		text.WriteRune(rune(line[i]))
	}
	return text.String()
}

// Send sends a request and reads the whole answer.
func (r Request) Send(ctx context.Context, addr string) (Answer, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return Answer{}, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return Answer{}, err
	}
	// A server may answer a wrong head and close before the body is written: what it said counts, not the failed write.
	_, writeErr := conn.Write(r.bytes())
	a, err := readAnswer(bufio.NewReader(conn), r.Method)
	if err != nil {
		return a, errors.Join(fmt.Errorf("read answer: %w", err), writeErr)
	}
	return a, nil
}

func readAnswer(in *bufio.Reader, method string) (a Answer, err error) {
	if a.StatusLine, err = readLine(in); err != nil {
		return a, err
	}
	status := a.Status()
	if status == 0 {
		return a, fmt.Errorf("no status line: %q", a.StatusLine)
	}
	for {
		line, err := readLine(in)
		if err != nil {
			return a, err
		}
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return a, fmt.Errorf("no header: %q", line)
		}
		a.Headers = append(a.Headers, Header{name, strings.TrimSpace(value)})
	}
	if method == "HEAD" || status == 204 || status == 304 || status < 200 {
		return a, nil
	}
	var body []byte
	switch length := a.Header("content-length"); {
	case strings.EqualFold(a.Header("transfer-encoding"), "chunked"):
		body, a.FramesPerChunk, err = readChunks(in)
	case length != "":
		n, bad := strconv.ParseUint(length, 10, 31)
		if bad != nil {
			return a, fmt.Errorf("content-length: %w", bad)
		}
		body, err = readExactly(in, int64(n))
	default:
		body, err = io.ReadAll(in)
	}
	a.Body = string(body)
	return a, err
}

// Status is 0 when the answer has none.
func (a Answer) Status() int {
	version, rest, _ := strings.Cut(a.StatusLine, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if !strings.HasPrefix(version, "HTTP/") || err != nil {
		return 0
	}
	return status
}

func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return "", err
	}
	text, ok := strings.CutSuffix(line, "\r\n")
	if !ok {
		return "", fmt.Errorf("line without CR: %q", line)
	}
	return fromLatin1(text), nil
}

// readExactly grows with what arrives, so that a length that lies costs nothing.
func readExactly(in io.Reader, n int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(in, n))
	if err == nil && int64(len(body)) < n {
		err = fmt.Errorf("%d of %d bytes: %w", len(body), n, io.ErrUnexpectedEOF)
	}
	return body, err
}

func readChunks(in *bufio.Reader) (body []byte, frames []int, err error) {
	for {
		line, err := readLine(in)
		if err != nil {
			return body, frames, err
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(size, 16, 31)
		if err != nil {
			return body, frames, fmt.Errorf("chunk size: %w", err)
		}
		chunk, err := readExactly(in, int64(n))
		if err != nil {
			return body, frames, err
		}
		if end, err := readLine(in); err != nil || end != "" {
			return body, frames, errors.Join(fmt.Errorf("chunk ends with %q", end), err)
		}
		if n == 0 {
			return body, frames, nil
		}
		body = append(body, chunk...)
		frames = append(frames, bytes.Count(chunk, []byte("\n\n")))
	}
}

package gateway_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// backend is a model server on a raw socket, so that it can misbehave on every byte. Its health is always 200, its load is not
// told, and neither is recorded.
type backend struct {
	URL string

	t    *testing.T
	ln   net.Listener
	play func(c *exchange)
	done sync.WaitGroup

	mu    sync.Mutex
	seen  []*received
	conns map[net.Conn]bool
}

// received is what a backend was sent.
type received struct {
	*http.Request
	body string
}

// exchange is one request as the backend's script sees it.
type exchange struct {
	*received
	conn net.Conn
	n    int // how many requests came before, on all connections
}

// write sends bytes as they are. A gateway that has gone away is for the test to notice.
func (c *exchange) write(parts ...string) { _, _ = io.WriteString(c.conn, strings.Join(parts, "")) }

// plain sends a whole answer with a length.
func (c *exchange) plain(status int, body string, header ...string) {
	c.write("HTTP/1.1 ", strconv.Itoa(status), " ", http.StatusText(status), "\r\ncontent-type: application/json\r\n",
		strings.Join(append(header, ""), "\r\n"), "content-length: ", strconv.Itoa(len(body)), "\r\n\r\n", body)
}

const streamHead = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nserver: uvicorn\r\ntransfer-encoding: chunked\r\n\r\n"

// chunk is one HTTP chunk.
func chunk(s string) string { return strconv.FormatInt(int64(len(s)), 16) + "\r\n" + s + "\r\n" }

// stream sends a complete event stream of these frames.
func (c *exchange) stream(frames ...string) {
	c.write(streamHead)
	for _, f := range frames {
		c.write(chunk(f))
	}
	c.write("0\r\n\r\n")
}

// gone waits until the gateway has closed the connection.
func (c *exchange) gone() { _, _ = io.Copy(io.Discard, c.conn) }

// newBackend serves play for each request. A play that returns leaves the connection open for the next.
func newBackend(t *testing.T, play func(c *exchange)) *backend {
	t.Helper()
	return newBackendAt(t, "127.0.0.1:0", play)
}

func newBackendAt(t *testing.T, addr string, play func(c *exchange)) *backend {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{URL: "http://" + ln.Addr().String(), t: t, ln: ln, play: play, conns: make(map[net.Conn]bool)}
	b.done.Go(b.accept)
	t.Cleanup(b.kill)
	return b
}

func (b *backend) accept() {
	for {
		conn, err := b.ln.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		b.conns[conn] = true
		b.mu.Unlock()
		b.done.Go(func() {
			defer conn.Close()
			b.serve(conn)
		})
	}
}

func (b *backend) serve(conn net.Conn) {
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		if req.Method == "GET" && req.URL.Path == "/metrics" {
			if _, err := io.WriteString(conn, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"); err != nil {
				return
			}
			continue
		}
		if req.URL.Path == "/health" {
			if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"); err != nil {
				return
			}
			continue
		}
		c := &exchange{received: &received{req, string(body)}, conn: conn}
		b.mu.Lock()
		c.n = len(b.seen)
		b.seen = append(b.seen, c.received)
		b.mu.Unlock()
		b.play(c)
	}
}

// kill ends the backend as SIGKILL does: listener and connections are gone at once.
func (b *backend) kill() {
	b.ln.Close()
	b.hangUp()
	b.done.Wait()
}

// hangUp closes all connections.
func (b *backend) hangUp() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for conn := range b.conns {
		conn.Close()
	}
}

func (b *backend) requests() []*received {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*received(nil), b.seen...)
}

// last is the request that came last.
func (b *backend) last() *received {
	b.t.Helper()
	all := b.requests()
	if len(all) == 0 {
		b.t.Fatal("the backend was not asked")
	}
	return all[len(all)-1]
}

const chatAnswer = `{"id":"chatcmpl-1","object":"chat.completion","model":"m-served","choices":[{"index":0,` +
	`"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"total_tokens":10,"completion_tokens":3}}`

// frames of a chat stream as vLLM sends them.
const (
	roleFrame   = `data: {"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n"
	helloFrame  = `data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}` + "\n\n"
	worldFrame  = `data: {"id":"c","choices":[{"index":0,"delta":{"content":" world"},"finish_reason":null}]}` + "\n\n"
	finishFrame = `data: {"id":"c","choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}]}` + "\n\n"
	usageFrame  = `data: {"id":"c","choices":[],"usage":{"prompt_tokens":9,"total_tokens":12,"completion_tokens":3}}` + "\n\n"
	doneFrame   = "data: [DONE]\n\n"
)

// strict is vllm where only POST is allowed, and only JSON understood.
func strict(c *exchange) {
	switch {
	case c.Method != http.MethodPost:
		c.plain(405, `{"detail":"Method Not Allowed"}`, "Allow: POST")
	case !json.Valid([]byte(c.body)):
		c.plain(400, `{"error":{"message":"not JSON","type":"Bad Request","param":null,"code":400}}`)
	default:
		vllm(c)
	}
}

// vllm answers chat as vLLM does, with a usage chunk when it is asked for.
func vllm(c *exchange) {
	switch {
	case !strings.Contains(c.body, `"stream":true`):
		c.plain(200, chatAnswer)
	case strings.Contains(c.body, `"include_usage":true`):
		c.stream(roleFrame, helloFrame, worldFrame, finishFrame, usageFrame, doneFrame)
	default:
		c.stream(roleFrame, helloFrame, worldFrame, finishFrame, doneFrame)
	}
}

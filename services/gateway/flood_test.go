package gateway_test

import (
	"bytes"
	"net"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/fluidmcp/fluidmcp/services/gateway"
)

// h2 is a client of HTTP/2 that does as it likes.
type h2 struct {
	*http2.Framer
	t    *testing.T
	conn net.Conn
	head bytes.Buffer
	enc  *hpack.Encoder
	next uint32
}

func (f *front) h2() *h2 {
	f.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { conn.Close() })
	if _, err := conn.Write([]byte(http2.ClientPreface)); err != nil {
		f.t.Fatal(err)
	}
	c := &h2{Framer: http2.NewFramer(conn, conn), t: f.t, conn: conn, next: 1}
	c.enc = hpack.NewEncoder(&c.head)
	if err := c.WriteSettings(); err != nil {
		f.t.Fatal(err)
	}
	return c
}

// begin encodes the header of a chat, and more of it.
func (c *h2) begin(more ...hpack.HeaderField) []byte {
	c.head.Reset()
	for _, field := range append([]hpack.HeaderField{{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "http"}, {Name: ":authority", Value: "x"},
		{Name: ":path", Value: "/llm/m/chat/completions"}, {Name: "content-type", Value: "application/json"}}, more...) {
		if err := c.enc.WriteField(field); err != nil {
			c.t.Fatal(err)
		}
	}
	return c.head.Bytes()
}

// ended waits for the end of the connection, or of a stream, and tells the code.
func (c *h2) ended() (code http2.ErrCode, status string) {
	c.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	for {
		frame, err := c.ReadFrame()
		if err != nil {
			return http2.ErrCodeConnect, err.Error()
		}
		switch frame := frame.(type) {
		case *http2.GoAwayFrame:
			return frame.ErrCode, "go away"
		case *http2.RSTStreamFrame:
			return frame.ErrCode, "reset"
		case *http2.MetaHeadersFrame:
			return http2.ErrCodeNo, frame.PseudoValue("status")
		}
	}
}

// TestRapidReset: a client that takes each request back at once (CVE-2023-44487) leaves nothing at the servers, and others are answered.
func TestRapidReset(t *testing.T) {
	b := newBackend(t, func(c *exchange) {
		if strings.Contains(c.body, "flood") {
			c.gone()
			return
		}
		vllm(c)
	})
	f := start(t, nil, model("m", b.URL))
	c := f.h2()
	for range 2000 {
		id := c.next
		c.next += 2
		err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: c.begin(), EndHeaders: true})
		if err == nil {
			err = c.WriteData(id, true, []byte(`{"user":"flood"}`))
		}
		if err == nil {
			err = c.WriteRSTStream(id, http2.ErrCodeCancel)
		}
		if err != nil {
			t.Logf("the gateway ended it at stream %d: %v", id, err)
			break
		}
	}
	if a := f.post("/llm/m/chat/completions", hello); a.status != 200 {
		t.Errorf("beside it: %d %s", a.status, a.body)
	}
	f.awaitMetric(`fluidmcp_inflight_requests{model="m"}`, 0)
	f.awaitMetric(`fluidmcp_backend_connections{state="busy"}`, 0)
	if got := f.metric(`fluidmcp_backend_ejected{backend="m-0",model="m"}`); got != 0 {
		t.Error("the server is blamed for it")
	}
}

// TestEndlessHeaders: a header that never ends, or that is small on the wire and large in memory, is ended in time and reaches no server.
func TestEndlessHeaders(t *testing.T) {
	b := newBackend(t, vllm)
	f := start(t, func(c *gateway.Config) { c.MaxBodyBytes = 1000 }, model("m", b.URL))
	c := f.h2()
	if err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.begin()}); err != nil {
		t.Fatal(err)
	}
	sent, large := 0, strings.Repeat("x", 10_000)
	for sent < 100<<20 {
		c.head.Reset()
		if err := c.enc.WriteField(hpack.HeaderField{Name: "x-more", Value: large, Sensitive: true}); err != nil {
			t.Fatal(err)
		}
		sent += c.head.Len()
		if c.WriteContinuation(1, false, c.head.Bytes()) != nil {
			break
		}
	}
	if sent >= 100<<20 {
		t.Error("100 MiB of a header were taken")
	}

	c = f.h2()
	bomb := make([]hpack.HeaderField, 1000)
	for i := range bomb {
		bomb[i] = hpack.HeaderField{Name: "x-bomb", Value: strings.Repeat("x", 3000)} // a few bytes each, once it is known
	}
	if err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.begin(bomb...), EndHeaders: true, EndStream: true}); err != nil {
		t.Fatal(err)
	}
	if code, how := c.ended(); code == http2.ErrCodeNo && how != "431" {
		t.Errorf("3 MB of header in %d bytes: %v %s", c.head.Len(), code, how)
	}
	if a := f.post("/llm/m/chat/completions", hello); a.status != 200 || len(b.requests()) != 1 {
		t.Errorf("%d %s; %d requests at the server", a.status, a.body, len(b.requests()))
	}
}

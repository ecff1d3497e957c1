package gateway_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/gateway"
)

func TestBodyLimit(t *testing.T) {
	b := newBackend(t, vllm)
	f := start(t, func(c *gateway.Config) { c.MaxBodyBytes = 64 }, model("m", b.URL))
	over := `{"messages":"` + strings.Repeat("x", 64) + `"}`
	a := f.post("/llm/m/chat/completions", over)
	if a.status != 413 || a.code() != "body_too_large" || !strings.Contains(a.body, "64 bytes") {
		t.Errorf("by length: %d %s", a.status, a.body)
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", f.url+"/v1/chat/completions", struct{ *strings.Reader }{strings.NewReader(over)})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req) // an unknown kind of reader is sent in chunks
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Errorf("while reading: %d", resp.StatusCode)
	}
	f.awaitMetric(`fluidmcp_requests_total{code="413",endpoint="chat_completions",model="m"}`, 1)
	f.awaitMetric(`fluidmcp_requests_total{code="413",endpoint="chat_completions",model="unknown"}`, 1)
	if len(b.requests()) != 0 {
		t.Error("a body over the limit was forwarded")
	}
}

// A client that sends far more than fits into the sockets, and closes the connection after its request, gets the answer
// too and not a reset connection.
func TestBodyOverTheLimitIsAnswered(t *testing.T) {
	f := start(t, func(c *gateway.Config) { c.MaxBodyBytes = 64 }, model("m", newBackend(t, vllm).URL))
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(t.Context(), "POST", f.url+"/v1/chat/completions", bytes.NewReader(make([]byte, 32<<20)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// A client that asks first is told at once, and never to go on.
func TestBodyOverTheLimitIsNotAskedFor(t *testing.T) {
	f := start(t, func(c *gateway.Config) { c.MaxBodyBytes = 64 }, model("m", newBackend(t, vllm).URL))
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 65\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, " 413 ") {
		t.Errorf("first line %q, %v", line, err)
	}
}

// What a client sent in part, or wrongly framed, is its fault and gets an answer that says so, never an empty 200.
func TestTornBodies(t *testing.T) {
	f := start(t, nil, model("m", newBackend(t, vllm).URL))
	for name, body := range map[string]string{
		"bad chunk":  "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n",
		"short body": "Content-Length: 100\r\n\r\n{}",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "POST /llm/m/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+body); err != nil {
			t.Fatal(err)
		}
		if name == "short body" {
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
		}
		got, _ := io.ReadAll(conn)
		if bytes.HasPrefix(got, []byte("HTTP/1.1 200")) {
			t.Errorf("%s: %s", name, got)
		}
	}
	f.awaitMetric(`fluidmcp_requests_total{code="400",endpoint="chat_completions",model="m"}`, 1)
	f.awaitMetric(`fluidmcp_requests_total{code="499",endpoint="chat_completions",model="m"}`, 1) // who closes is gone
}

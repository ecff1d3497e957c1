//go:build unix

package gateway_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/gateway"
)

// TestNoDescriptorLeft: a gateway that can open nothing more says so of itself. The servers are not to blame, and not left out.
func TestNoDescriptorLeft(t *testing.T) {
	b := newBackend(t, vllm)
	f := start(t, func(c *gateway.Config) { c.ProbeInterval = time.Hour }, model("m", b.URL))
	var conns []net.Conn
	var ins []*bufio.Reader
	request := func(i int, method, path, body string) (status int, text string) {
		t.Helper()
		head := method + " " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
		if body != "" {
			head += "2\r\n" + body + "\r\n"
		}
		if _, err := io.WriteString(conns[i], head+"0\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(ins[i], nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		read, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if status := resp.StatusCode; status == 503 && resp.Header.Get("Retry-After") != "1" {
			t.Errorf("%v", resp.Header)
		}
		return resp.StatusCode, string(read)
	}
	for i := range 8 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns, ins = append(conns, conn), append(ins, bufio.NewReader(conn))
		request(i, "GET", "/ready", "") // it is accepted
	}
	f.awaitMetric(`fluidmcp_backend_connections{state="idle"}`, 0) // of a probe
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	none := before
	none.Cur = 3
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	restore := func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
			t.Fatal(err)
		}
	}
	defer restore()
	for i := range conns {
		if status, text := request(i, "POST", "/llm/m/chat/completions", "{}"); status != 503 || !strings.Contains(text, `"overloaded"`) {
			t.Errorf("%d %s", status, text)
		}
	}
	restore()
	if up, out := f.metric(`fluidmcp_backend_up{backend="m-0",model="m"}`), f.metric(`fluidmcp_backend_ejected{backend="m-0",model="m"}`); up != 1 || out != 0 {
		t.Errorf("the server is blamed: up %v, ejected %v", up, out)
	}
	if status, text := request(0, "POST", "/llm/m/chat/completions", "{}"); status != 200 {
		t.Errorf("with descriptors again: %d %s", status, text)
	}
	f.awaitMetric(`fluidmcp_upstream_attempts_total{backend="m-0",model="m",outcome="exhausted"}`, 8)
}

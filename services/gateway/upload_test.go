package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway"
)

func TestUploads(t *testing.T) {
	b := newBackend(t, vllm)
	f := start(t, nil, model("m", b.URL), model("n", b.URL))
	upload := func(model string) string {
		return "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n" + strings.Repeat("sound", 1<<16) +
			"\r\n--x\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\n" + model + "\r\n--x--\r\n"
	}
	form := []string{"Content-Type", "multipart/form-data; boundary=x"}
	for _, c := range []struct{ path, name, want string }{{"/llm/m/audio/transcriptions", "n", "m-served"}, {"/llm/m/audio/transcriptions", "whatever", "m-served"},
		{"/v1/audio/transcriptions", "m", "m-served"}} {
		a := f.do("POST", c.path, upload(c.name), form...)
		if a.status != 200 || b.last().body != upload(c.want) || b.last().Header.Get("Content-Type") != form[1] {
			t.Errorf("%s: got %d %s; backend got %v, %d bytes", c.path, a.status, a.body, b.last().Header, len(b.last().body))
		}
	}
	if a := f.do("POST", "/v1/audio/transcriptions", upload("none"), form...); a.status != 404 || a.code() != "model_not_found" {
		t.Errorf("unknown model: %d %s", a.status, a.body)
	}
	if a := f.do("POST", "/v1/audio/transcriptions", upload("m"), "Content-Type", "multipart/form-data"); a.status != 400 || a.code() != "invalid_form" {
		t.Errorf("no boundary: %d %s", a.status, a.body)
	}
}

// TestUploadPastRefusedConnection: an upload of which nothing was sent goes to another backend, however small it is.
func TestUploadPastRefusedConnection(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + gone.Addr().String()
	gone.Close()
	b := newBackend(t, vllm)
	m := model("m", url, url, url, b.URL)
	m.Routing.Policy = fleet.RoundRobin
	f := start(t, func(c *gateway.Config) { c.Retries = 3 }, m)
	form := "--x\r\ncontent-disposition: form-data; name=file; filename=a\r\n\r\nsound\r\n--x--\r\n"
	for range 4 {
		if a := f.do("POST", "/llm/m/audio/transcriptions", form, "Content-Type", "multipart/form-data; boundary=x"); a.status != 200 || b.last().body != form {
			t.Errorf("%d %s; the backend got %q", a.status, a.body, b.last().body)
		}
	}
	if f.metric(`fluidmcp_retries_total{model="m",reason="connect"}`) == 0 {
		t.Error("the test has shown nothing: every upload found the backend that is there")
	}
}

// upload sends a form as it comes, with the boundary x.
func (f *front) upload(form io.Reader) *http.Response {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), "POST", f.url+"/llm/m/audio/transcriptions", form)
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp
}

// TestSlowUpload: a client that takes its time to send does not make its backend a slow one. The backend's own time is as short as the
// machine allows.
func TestSlowUpload(t *testing.T) {
	b := newBackend(t, vllm)
	m := model("m", b.URL)
	f := start(t, nil, m)
	upload := func(took time.Duration) int {
		in, out := io.Pipe()
		go func() {
			_, _ = io.WriteString(out, "--x\r\ncontent-disposition: form-data; name=file; filename=a\r\n\r\n")
			for range 5 {
				time.Sleep(took / 5)
				_, _ = io.WriteString(out, strings.Repeat("s", 1<<20))
			}
			_, _ = io.WriteString(out, "\r\n--x--\r\n")
			out.Close()
		}()
		resp := f.upload(in)
		resp.Body.Close()
		return resp.StatusCode
	}
	var status int
	inTime(func(limit time.Duration) bool {
		m.Timeouts.FirstByte = limit
		f.deploy(m)
		status = upload(limit * 5 / 4)
		return status != http.StatusGatewayTimeout
	})
	if status != http.StatusOK {
		t.Errorf("status %d", status)
	}
}

// TestUploadIsNotHeld: the backend has the beginning of a recording before the client has sent its end.
func TestUploadIsNotHeld(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	arrived := make(chan struct{})
	backend := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			return
		}
		if _, err := io.ReadFull(r.Body, make([]byte, 2<<20)); err != nil {
			t.Error(err)
		}
		close(arrived)
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d %v", n, err)
	})}
	go func() { _ = backend.Serve(ln) }() // it ends with Close
	t.Cleanup(func() { backend.Close() })
	f := start(t, nil, model("m", "http://"+ln.Addr().String()))
	in, out := io.Pipe()
	go func() {
		_, _ = io.WriteString(out, "--x\r\ncontent-disposition: form-data; name=file; filename=a\r\n\r\n"+strings.Repeat("s", 3<<20))
		<-arrived
		_, _ = io.WriteString(out, "end\r\n--x--\r\n")
		out.Close()
	}()
	resp := f.upload(in)
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || !strings.HasSuffix(string(got), " <nil>") {
		t.Errorf("%q, %v", got, err)
	}
}

// TestUploadAnsweredEarly: a backend may refuse an upload before all of it came. Nothing of it goes to another one, and the client
// has the answer while it still sends.
func TestUploadAnsweredEarly(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	backend := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			asked.Add(1)
			_ = http.NewResponseController(w).EnableFullDuplex()
			w.WriteHeader(503)
		}
	})}
	go func() { _ = backend.Serve(ln) }() // it ends with Close
	t.Cleanup(func() { backend.Close() })
	url := "http://" + ln.Addr().String()
	f := start(t, nil, model("m", url, url))
	for n := range int32(20) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		form := "--x\r\ncontent-disposition: form-data; name=model\r\n\r\nm\r\n--x\r\n"
		_, _ = io.WriteString(conn, "POST /llm/m/audio/transcriptions HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"+
			"Transfer-Encoding: chunked\r\n\r\n"+chunk(form)+chunk("more"))
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != 503 || asked.Load() != n+1 {
			t.Fatalf("%+v, %v after %d uploads to %d backends", resp, err, n+1, asked.Load())
		}
		conn.Close()
	}
	f.awaitMetric(`fluidmcp_inflight_requests{model="m"}`, 0)
}

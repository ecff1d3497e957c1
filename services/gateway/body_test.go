package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/gateway"
)

// TestOneModelOnly: what a server might read as the name of another model does not get to it, however it is written. The server
// of this test stands for one with several models behind one address, of which a key may be for one alone.
func TestOneModelOnly(t *testing.T) {
	b := newBackend(t, vllm)
	f := start(t, nil, model("m", b.URL), model("n", b.URL))
	part := func(value string) string {
		return "--x\r\ncontent-disposition: form-data; name=model\r\n\r\n" + value + "\r\n"
	}
	const end = "--x--\r\n"
	sound := "--x\r\ncontent-disposition: form-data; name=file; filename=a\r\n\r\n" + strings.Repeat("s", 2<<20) + "\r\n"
	const audio = "/llm/m/v1/audio/transcriptions"
	form := []string{"Content-Type", "multipart/form-data; boundary=x"}
	for name, c := range map[string]struct {
		path, body, code string
		header           []string
	}{
		"two fields":               {audio, part("m") + part("n-served") + end, "duplicate_model", form},
		"a field after the sound":  {audio, part("m") + sound + part("n-served") + end, "duplicate_model", form},
		"two fields after it":      {audio, sound + part("m") + part("n-served") + end, "duplicate_model", form},
		"by the form":              {"/v1/audio/transcriptions", sound + part("m") + part("n-served") + end, "duplicate_model", form},
		"another charset":          {audio, part("m") + end, "invalid_form", []string{"Content-Type", "multipart/form-data; boundary=x; charset=utf-7"}},
		"two boundaries":           {audio, part("m") + end, "invalid_form", []string{"Content-Type", "multipart/form-data; boundary=y; boundary=x"}},
		"two keys in other text":   {"/llm/m/v1/chat/completions", `{"model":"m","model":"n-served"}`, "duplicate_model", []string{"Content-Type", "text/plain"}},
		"no JSON, and not said so": {"/llm/m/v1/chat/completions", "\xff\xfe{\x00", "invalid_json", []string{"Content-Type", ""}},
	} {
		if a := f.do("POST", c.path, c.body, c.header...); a.status != 400 || a.code() != c.code {
			t.Errorf("%s: %d %s; want %s", name, a.status, a.body, c.code)
		}
	}
	if n := len(b.requests()); n != 0 {
		t.Errorf("%d requests reached the server as a whole", n)
	}
	renamed := func(path, body, want string, header ...string) {
		t.Helper()
		if a := f.do("POST", path, body, header...); a.status != 200 || b.last().body != want {
			t.Errorf("%s: %d %s; the server got ...%q", path, a.status, a.body, b.last().body[max(0, len(b.last().body)-100):])
		}
	}
	renamed(audio, sound+part("n")+end, sound+part("m-served")+end, form...)
	renamed("/llm/m/v1/chat/completions", `{"model":"n-served"}`, `{"model":"m-served"}`, "Content-Type", "text/plain")
	renamed("/llm/m/v1/chat/completions", `{"model":"n-served"}`, `{"model":"m-served"}`, "Content-Type", "")
	renamed("/llm/m/v1/what/comes", "\xff\x00", "\xff\x00", "Content-Type", "application/octet-stream")

	twice := "POST " + "/llm/m/v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
	if got := f.say(t, twice); !strings.HasPrefix(got, "HTTP/1.1 400 ") || !strings.Contains(got, `"invalid_header"`) {
		t.Errorf("two types: %s", got)
	}
}

// say sends bytes and returns all that comes back.
func (f *front) say(t *testing.T, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// TestManyLargeBodies: large bodies in memory are bounded in sum, by what of them has come. Small ones go on beside them, and all is
// given back.
func TestManyLargeBodies(t *testing.T) {
	const large = 1 << 20
	f := start(t, func(c *gateway.Config) { c.MaxBodyBytes, c.MaxBufferedBytes = large, 2*large }, model("m", newBackend(t, vllm).URL))
	body := `{"messages":"` + strings.Repeat("x", large-100) + `"}`
	var open []net.Conn
	for n := range 2 { // all but the end
		conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		open = append(open, conn)
		head := fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body[:len(body)-1])
		if n == 1 {
			head = fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(body)-1, body[:len(body)-1])
		}
		if _, err := io.WriteString(conn, "POST /llm/m/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+head); err != nil {
			t.Fatal(err)
		}
	}
	f.awaitMetric("fluidmcp_buffered_bytes", float64(2*(len(body)-1-64<<10)))
	form := []string{"Content-Type", "multipart/form-data; boundary=x"}
	for what, a := range map[string]answer{
		"JSON": f.post("/llm/m/chat/completions", body),
		"form": f.do("POST", "/v1/audio/transcriptions", "--x\r\ncontent-disposition: form-data; name=file\r\n\r\n"+body[:900_000]+"\r\n--x--\r\n", form...),
	} {
		if a.status != 503 || a.code() != "overloaded" || a.header.Get("Retry-After") != "1" {
			t.Errorf("%s above the limit: %d %v %s", what, a.status, a.header, a.body)
		}
	}
	if a := f.post("/llm/m/chat/completions", `{"messages":"`+strings.Repeat("x", 60<<10)+`"}`); a.status != 200 {
		t.Errorf("a small body: %d %s", a.status, a.body)
	}
	for conn, end := range map[net.Conn]string{open[0]: "}", open[1]: "1\r\n}\r\n0\r\n\r\n"} {
		if _, err := io.WriteString(conn, end); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 200 ") {
			t.Errorf("%v, %s", err, got)
		}
	}
	f.awaitMetric("fluidmcp_buffered_bytes", 0)
	if a := f.post("/llm/m/chat/completions", body); a.status != 200 {
		t.Errorf("with room again: %d %s", a.status, a.body)
	}
	f.awaitMetric("fluidmcp_buffered_bytes", 0)
	f.awaitMetric(`fluidmcp_errors_total{model="m",reason="overloaded"}`, 1)
}

// TestManyLargeAnswers: what is held back of answers until they are whole is bounded in sum. An answer for which there is no room is
// passed on as it comes, and all is given back.
func TestManyLargeAnswers(t *testing.T) {
	const large = 1 << 20
	first, rest := `{"text":"`+strings.Repeat("x", large/2), strings.Repeat("x", large/2-1000)+`"}`
	f := func(name, head string, framed func(string) string, end string) {
		t.Run(name, func(t *testing.T) {
			goOn := make(chan struct{})
			release := sync.OnceFunc(func() { close(goOn) })
			defer release()
			b := newBackend(t, func(c *exchange) {
				head, framed, end := head, framed, end
				if c.n == 0 { // takes nearly all that answers may have
					head, framed, end = announced(len(first+rest)), func(s string) string { return s }, ""
				}
				c.write(head, framed(first))
				<-goOn
				c.write(framed(rest), end)
			})
			f := start(t, func(c *gateway.Config) { c.MaxBodyBytes, c.MaxBufferedBytes = large, 2*large }, model("m", b.URL))
			held := f.ask(1, "/llm/m/chat/completions", hello)
			await(t, "the first answer in memory", func() bool { return f.metric("fluidmcp_buffered_bytes") > large-100<<10 })
			before := f.metric("fluidmcp_buffered_bytes")
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			resp := f.open(ctx, "POST", "/llm/m/chat/completions", hello)
			defer resp.Body.Close()
			got := make([]byte, len(first)) // so it is passed on before it is whole
			if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != first {
				t.Errorf("%v, %.20q", err, got)
			}
			f.awaitMetric("fluidmcp_buffered_bytes", before)
			release()
			if got, err := io.ReadAll(resp.Body); err != nil || string(got) != rest {
				t.Errorf("%v, %d bytes", err, len(got))
			}
			if a := <-held; a.status != 200 || a.body != first+rest {
				t.Errorf("%d %v, %d bytes", a.status, a.header, len(a.body))
			}
			f.awaitMetric("fluidmcp_buffered_bytes", 0)
		})
	}
	f("announced", announced(len(first+rest)), func(s string) string { return s }, "")
	f("chunked", "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n", chunk, "0\r\n\r\n")
}

func announced(length int) (head string) {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n", length)
}

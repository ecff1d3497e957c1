package gateway_test

import (
	"io"
	"net"
	"strings"
	"testing"
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

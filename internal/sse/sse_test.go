package sse

import (
	"bytes"
	"errors"
	"io"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// read cuts a stream into the raw bytes and the data of its frames, and the error that ended it.
func read(src io.Reader, limit int) (raw, data []string, err error) {
	r := NewReader(src, limit)
	for {
		f, err := r.Next()
		if err != nil && len(f.Raw) == 0 {
			return raw, data, err
		}
		raw = append(raw, string(f.Raw))
		if f.Data == nil {
			data = append(data, "<none>")
		} else {
			data = append(data, string(f.Data))
		}
		if err != nil {
			return raw, data, err
		}
	}
}

func TestReader(t *testing.T) {
	f := func(stream string, wantErr error, wantData ...string) {
		t.Helper()
		for name, src := range map[string]io.Reader{
			"whole":          strings.NewReader(stream),
			"byte by byte":   iotest.OneByteReader(strings.NewReader(stream)),
			"data with EOF":  iotest.DataErrReader(strings.NewReader(stream)),
			"in half chunks": iotest.HalfReader(strings.NewReader(stream)),
		} {
			_, data, err := read(src, 1<<20)
			if !errors.Is(err, wantErr) || !reflect.DeepEqual(data, wantData) {
				t.Errorf("%s: %q gives %q, %v; want %q, %v", name, stream, data, err, wantData, wantErr)
			}
		}
	}
	f("", io.EOF)
	f("\n\n\n", io.EOF)
	f("data: a\n\ndata: b\n\n", io.EOF, "a", "b")
	f("data:a\r\n\r\ndata:  b\r\n\r\n", io.EOF, "a", " b")
	f("data: one\ndata: two\n\n", io.EOF, "one\ntwo")
	f("data\n\n", io.EOF, "")
	f(": keep-alive\n\ndata: x\n\n", io.EOF, "<none>", "x")
	f("event: message_stop\nid: 7\ndata: {}\n\n", io.EOF, "{}")
	f("database: x\n\n", io.EOF, "<none>")
	f("data: a\n\ndata: b", io.ErrUnexpectedEOF, "a", "b")
	f("data: a\n\ndata: b\n", io.ErrUnexpectedEOF, "a", "b")
	f("\n\ndata: a\n\n", io.EOF, "a")
}

func TestReaderLoneCR(t *testing.T) {
	_, data, err := read(strings.NewReader("data: a\r\rdata: b\r\r"), 100)
	if err != io.EOF || !reflect.DeepEqual(data, []string{"a", "b"}) {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestReaderKeepsEveryByte(t *testing.T) {
	stream := ": hi\n\nevent: x\ndata: 1\n\n\ndata: 2\r\n\r\ndata: torn"
	raw, _, _ := read(strings.NewReader(stream), 100)
	if got := strings.Join(raw, ""); got != stream {
		t.Errorf("raw bytes joined = %q, want %q", got, stream)
	}
}

func TestReaderLimit(t *testing.T) {
	stream := "data: ok\n\ndata: " + strings.Repeat("x", 100) + "\n\n"
	_, data, err := read(strings.NewReader(stream), 64)
	if !errors.Is(err, ErrTooLong) || len(data) != 1 {
		t.Errorf("got %q, %v; want one frame and ErrTooLong", data, err)
	}
}

func TestReaderSourceError(t *testing.T) {
	broken := errors.New("connection reset")
	src := io.MultiReader(strings.NewReader("data: a\n\ndata: b"), iotest.ErrReader(broken))
	_, data, err := read(src, 100)
	if !errors.Is(err, broken) || !reflect.DeepEqual(data, []string{"a", "b"}) {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestReaderBuffered(t *testing.T) {
	r := NewReader(strings.NewReader("data: a\n\ndata: b\n\ndata"), 100)
	if r.Buffered() {
		t.Error("a fresh reader holds no frame")
	}
	if _, err := r.Next(); err != nil || !r.Buffered() {
		t.Errorf("err %v, want a second frame in the buffer", err)
	}
	if _, err := r.Next(); err != nil || r.Buffered() {
		t.Errorf("err %v, want no whole frame left", err)
	}
}

func TestWriterRoundTrip(t *testing.T) {
	rec := httptest.NewRecorder()
	w := NewWriter(rec)
	if err := errors.Join(w.Comment("hello"), w.Data([]byte("two\nlines")), w.Event("7", []byte("{}")), w.Raw([]byte("data: [DONE]\n\n"))); err != nil {
		t.Fatal(err)
	}
	if !rec.Flushed || rec.Header().Get("Content-Type") != ContentType {
		t.Errorf("flushed %v, headers %v", rec.Flushed, rec.Header())
	}
	raw, data, err := read(rec.Body, 100)
	if err != io.EOF || !reflect.DeepEqual(data, []string{"<none>", "two\nlines", "{}", "[DONE]"}) || raw[2] != "id: 7\ndata: {}\n\n" {
		t.Errorf("got %q, %v", data, err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("data: a\n\ndata: b\n\n"), 1)
	f.Add([]byte(": c\r\n\r\nevent: x\rdata: 1\r\r"), 3)
	f.Add([]byte("\n\r\n\rdata\n\n\n\n"), 2)
	f.Add([]byte("data: a\rdata: b\n\ndata: c\n\r\ndata: d\r\n\ndata:e\n\n data: f\n\n"), 64)
	f.Fuzz(func(t *testing.T, stream []byte, chunk int) {
		chunk = max(1, min(chunk, 64))
		raw, data, err := read(&chunked{stream, chunk}, 1<<20)
		if _, bytewise, _ := read(&chunked{stream, 1}, 1<<20); !reflect.DeepEqual(data, bytewise) {
			t.Fatalf("data %q by pieces of %d, %q by bytes", data, chunk, bytewise)
		}
		if err != io.EOF && err != io.ErrUnexpectedEOF {
			t.Fatalf("unexpected error %v", err)
		}
		joined := strings.Join(raw, "")
		if !bytes.HasPrefix(stream, []byte(joined)) {
			t.Fatalf("frames %q are not a prefix of %q", joined, stream)
		}
		if rest := stream[len(joined):]; len(bytes.Trim(rest, "\r\n")) != 0 {
			t.Fatalf("lost %q", rest)
		}
	})
}

// chunked gives at most n bytes at a time.
type chunked struct {
	left []byte
	n    int
}

func (c *chunked) Read(p []byte) (int, error) {
	if len(c.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.n)], c.left)
	c.left = c.left[n:]
	return n, nil
}

// BenchmarkReader reads a stream of chunks as a chat completion sends them.
func BenchmarkReader(b *testing.B) {
	frame := `data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1764400000,"model":"m",` +
		`"choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null,"token_ids":null}]}` + "\n\n"
	stream := strings.Repeat(frame, 1000)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for i := 0; i < b.N; {
		r := NewReader(strings.NewReader(stream), 1<<20)
		for ; i < b.N; i++ {
			if _, err := r.Next(); err != nil {
				break
			}
			r.Buffered()
		}
	}
}

package intake_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/gateway/intake"
	"github.com/fluidmcp/fluidmcp/services/gateway/scan"
)

// open makes a request's body one of an intake, of which the request says how long it is unless length is -1.
func open(t *testing.T, in *intake.Intake, text string, length int64, header ...string) (*intake.Body, error) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", io.NopCloser(strings.NewReader(text)))
	r.ContentLength = length
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	b := &intake.Body{}
	return b, in.Open(httptest.NewRecorder(), r, b)
}

// TestRead: a body is read whole, and what of it is beyond 64 KiB counts until it is given back, once.
func TestRead(t *testing.T) {
	const all = 1 << 20
	for name, c := range map[string]struct {
		size    int
		unsaid  bool // the client does not say how long it is
		counted int64
	}{
		"nothing":         {0, false, 0},
		"small":           {64 << 10, false, 0},
		"small, not said": {100, true, 0},
		"large":           {64<<10 + 1, false, 1},
		"large, not said": {100 << 10, true, 36 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			in := intake.New(intake.Limits{Body: all, Buffered: all})
			text, length := strings.Repeat("x", c.size), int64(c.size)
			if c.unsaid {
				length = -1
			}
			b, err := open(t, in, text, length)
			if err == nil {
				err = b.Read()
			}
			if err != nil || string(b.Raw) != text || in.Buffered() != c.counted {
				t.Fatalf("%v, %d bytes, of which %d count; want %d and %d", err, len(b.Raw), in.Buffered(), c.size, c.counted)
			}
			b.Release()
			b.Release()
			if n := in.Buffered(); n != 0 {
				t.Errorf("%d bytes count after the release", n)
			}
		})
	}
}

// TestFull: a large body that comes when others have the memory is refused, and what came of it is given back.
func TestFull(t *testing.T) {
	const size = 200 << 10
	in := intake.New(intake.Limits{Body: size, Buffered: size})
	first, err := open(t, in, strings.Repeat("x", size), size)
	if err == nil {
		err = first.Read()
	}
	if err != nil {
		t.Fatal(err)
	}
	held := in.Buffered()
	second, err := open(t, in, strings.Repeat("x", size), size)
	if err == nil {
		err = second.Read()
	}
	if !errors.Is(err, intake.ErrFull) {
		t.Errorf("%v; want %v", err, intake.ErrFull)
	}
	if second.Release(); in.Buffered() != held {
		t.Errorf("%d bytes count; want the first body's %d", in.Buffered(), held)
	}
}

// TestParse: only one JSON object is a document, and the bytes stay either way.
func TestParse(t *testing.T) {
	for text, object := range map[string]bool{`{"model":"m"}`: true, `[1]`: false, `{"model":`: false, "": false} {
		b, err := open(t, intake.New(intake.Limits{Body: 100, Buffered: 100}), text, int64(len(text)))
		if err == nil {
			err = b.Read()
		}
		if err != nil {
			t.Fatal(err)
		}
		_, wrong := errors.AsType[*scan.SyntaxError](b.Parse())
		if wrong == object || (b.JSON != nil) != object || string(b.Raw) != text {
			t.Errorf("%q: a syntax error is %t, a document %t, raw %q", text, wrong, b.JSON != nil, b.Raw)
		}
	}
}

// TestForm: a form is read up to its model's name and passes on with another, as long as that makes it. From its first byte on it
// cannot be sent again.
func TestForm(t *testing.T) {
	const head, tail = "--x\r\ncontent-disposition: form-data; name=model\r\n\r\n", "\r\n--x--\r\n"
	text := head + "m" + tail
	b, err := open(t, intake.New(intake.Limits{Body: 1 << 20, Buffered: 1 << 20}), text, int64(len(text)), "Content-Type", "multipart/form-data; boundary=x")
	if err == nil {
		err = b.ReadForm(false)
	}
	if err != nil || b.Form.Model != "m" {
		t.Fatalf("%v, %+v", err, b.Form)
	}
	pieces := 0
	r, length := b.Form.Reader("served", func() { pieces++ })
	if b.Form.Begun() {
		t.Error("it has begun before anyone read it")
	}
	sent, err := io.ReadAll(r)
	if want := head + "served" + tail; err != nil || string(sent) != want || length != int64(len(want)) {
		t.Errorf("%v, %d bytes: %q", err, length, sent)
	}
	if !b.Form.Begun() || pieces == 0 {
		t.Errorf("begun %t, %d pieces", b.Form.Begun(), pieces)
	}
}

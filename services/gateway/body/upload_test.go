package body_test

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/fluidmcp/fluidmcp/services/gateway/body"
)

const formType = `multipart/form-data; boundary="x y"`

// form writes parts, each a name and a value; a name with a dot is that of a file.
func form(t *testing.T, parts ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary("x y"); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(parts); i += 2 {
		var part io.Writer
		var err error
		if strings.Contains(parts[i], ".") {
			part, err = w.CreateFormFile("file", parts[i])
		} else {
			part, err = w.CreateFormField(parts[i])
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, parts[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestUpload(t *testing.T) {
	sound := strings.Repeat("\r\n--x\x00\r\n\r\n", 5000)
	f := func(name, in, model, want string) {
		t.Run(name, func(t *testing.T) {
			for how, r := range map[string]io.Reader{"whole": strings.NewReader(in), "byte by byte": iotest.OneByteReader(strings.NewReader(in)),
				"with EOF": iotest.DataErrReader(strings.NewReader(in))} {
				u, err := body.ReadUpload(formType, r, 1<<20)
				if err != nil || u.Model != model {
					t.Fatalf("%s: model %q, %v; want %q", how, u.Model, err, model)
				}
				out, grown := u.Reader("the/new-name")
				got, err := io.ReadAll(out)
				if err != nil || string(got) != want || grown != len(want)-len(in) {
					t.Errorf("%s: %v, %d more bytes, %.200q; want %.200q", how, err, grown, got, want)
				}
			}
		})
	}
	f("model first", form(t, "model", "m", "a.wav", sound), "m", form(t, "model", "the/new-name", "a.wav", sound))
	f("file first", form(t, "a.wav", sound, "model", "m"), "m", form(t, "a.wav", sound, "model", "the/new-name"))
	f("no model", form(t, "a.wav", sound), "", form(t, "a.wav", sound))
	f("empty model", form(t, "model", "", "a", "b"), "", form(t, "model", "", "a", "b"))
	f("a file called model", form(t, "model.wav", "x"), "", form(t, "model.wav", "x"))
	f("nothing", "", "", "")
	f("no form", "{}", "", "{}")
	f("words before the first part", "hello\r\n"+form(t, "model", "m"), "m", "hello\r\n"+form(t, "model", "the/new-name"))
	f("a field of no name", "--x y\r\nX: y\r\n\r\nmodel\r\n"+form(t, "model", "m"), "m", "--x y\r\nX: y\r\n\r\nmodel\r\n"+form(t, "model", "the/new-name"))
}

// What is not read is not kept: the rest passes from the client as it comes.
func TestUploadReadsNoMoreThanItNeeds(t *testing.T) {
	in := strings.NewReader(form(t, "model", "m", "a.wav", strings.Repeat("x", 1<<20)))
	u, err := body.ReadUpload(formType, in, 1<<19)
	if err != nil || u.Model != "m" || in.Len() < 1<<19 {
		t.Errorf("model %q, %v, %d bytes left", u.Model, err, in.Len())
	}
	in = strings.NewReader(form(t, "a.wav", strings.Repeat("x", 1<<20), "model", "m"))
	if u, err := body.ReadUpload(formType, in, 1<<19); err != nil || u.Model != "" || in.Len() < 1<<19 {
		t.Errorf("model %q, %v, %d bytes left", u.Model, err, in.Len())
	}
}

func TestBadUpload(t *testing.T) {
	f := func(contentType, in string) {
		t.Helper()
		if _, err := body.ReadUpload(contentType, strings.NewReader(in), 1<<20); !errors.Is(err, body.ErrBoundary) {
			t.Errorf("%s: %v", contentType, err)
		}
	}
	f("multipart/form-data", form(t, "model", "m"))
	f("multipart/form-data; boundary", form(t, "model", "m"))
	f(formType, form(t, "model", "two\r\nlines"))
	reset := errors.New("connection reset")
	if _, err := body.ReadUpload(formType, iotest.ErrReader(reset), 1<<20); !errors.Is(err, reset) {
		t.Errorf("a broken connection: %v", err)
	}
}

// FuzzUpload: whatever comes, nothing of it is lost, and a name that is found is the one that Go's reader finds.
func FuzzUpload(f *testing.F) {
	f.Add("--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--x--\r\n")
	f.Add("--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\n--x\r\n\r\n--x\r\n--x--")
	f.Add("--x\r\n\r\n\r\n--x--")
	f.Fuzz(func(t *testing.T, in string) {
		u, err := body.ReadUpload("multipart/form-data; boundary=x", iotest.HalfReader(strings.NewReader(in)), 1<<20)
		if err != nil {
			return
		}
		out, _ := u.Reader("")
		got, err := io.ReadAll(out)
		if err != nil || string(got) != in {
			t.Fatalf("%q became %q, %v", in, got, err)
		}
		form, err := multipart.NewReader(strings.NewReader(in), "x").ReadForm(1 << 20)
		if err == nil && len(form.Value["model"]) == 1 && !strings.ContainsAny(form.Value["model"][0], "\r\n") && u.Model != form.Value["model"][0] {
			t.Fatalf("%q names %q, found %q", in, form.Value["model"][0], u.Model)
		}
	})
}

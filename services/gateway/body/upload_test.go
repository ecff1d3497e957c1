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
				out, length := u.Reader("the/new-name", int64(len(in)))
				got, err := io.ReadAll(out)
				if err != nil || string(got) != want || length != int64(len(want)) {
					t.Errorf("%s: %v, length %d, %.200q; want %.200q", how, err, length, got, want)
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
	f("padding after the boundary", strings.Replace(form(t, "model", "m"), "y\r\n", "y \t\r\n", 1), "m", strings.Replace(form(t, "model", "the/new-name"), "y\r\n", "y \t\r\n", 1))
	f("a model after the end", form(t, "model", "m")+form(t, "model", "n"), "m", form(t, "model", "the/new-name")+form(t, "model", "n"))
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
	u, err = body.ReadUpload(formType, in, 1<<19)
	if err != nil || u.Model != "" || in.Len() < 1<<19 {
		t.Errorf("model %q, %v, %d bytes left", u.Model, err, in.Len())
	}
	out, length := u.Reader("the/new-name", in.Size())
	want := form(t, "a.wav", strings.Repeat("x", 1<<20), "model", "the/new-name")
	if got, err := io.ReadAll(iotest.OneByteReader(out)); err != nil || string(got) != want || length != -1 {
		t.Errorf("a late name: %v, length %d, ends with %q", err, length, got[max(0, len(got)-100):])
	}
}

// What one server takes for another model than the gateway is no form, wherever it stands. vLLM's (python-multipart with Starlette)
// takes the last field of a name, the last Content-Disposition of a part and the last name in it, and reads names in the form's charset.
func TestAmbiguousUpload(t *testing.T) {
	part := func(head, value string) string { return "--x y\r\n" + head + "\r\n\r\n" + value + "\r\n" }
	const disposition = "Content-Disposition: form-data; "
	m, end := part(disposition+"name=model", "m"), "--x y--\r\n"
	sound := part(disposition+"name=file; filename=a", strings.Repeat("x", 100_000))
	for name, second := range map[string]string{
		"twice":                     m,
		"twice, in quotes":          part(disposition+`name="model"`, "n"),
		"two names":                 part(disposition+"name=a; name=model", "n"),
		"two dispositions":          part(disposition+"name=a\r\n"+disposition+"name=model", "n"),
		"a longer boundary":         "--x yz\r\n" + disposition + "name=a\r\n" + m,
		"padding":                   strings.Replace(m, "y\r\n", "y \r\n", 1),
		"a folded line":             part("Content-Disposition: form-data;\r\n name=model", "n"),
		"a bare line feed":          part("X: y\n"+disposition+"name=model", "n"),
		"a space before the colon":  part("Content-Disposition : form-data; name=model", "n"),
		"a head without an end":     "--x y\r\n" + disposition + strings.Repeat("y", 1<<17),
		"a line without a name":     part("name=model", "n"),
		"an encoded name":           part(disposition+"name*=utf-8''mod%65l", "n"),
		"a model without an end":    "--x y\r\n" + disposition + "name=model\r\n\r\n" + strings.Repeat("n", 1<<17),
		"a model of several lines":  part(disposition+"name=model", "n\r\nm"),
		"an escape before the name": part(disposition+`filename=; name="model"`, "n"),
	} {
		for how, in := range map[string]string{"at once": m + second + end, "late": m + sound + second + end, "first and late": sound + m + second + end} {
			u, err := body.ReadUpload(formType, iotest.HalfReader(strings.NewReader(in)), 1<<20)
			if err == nil {
				r, _ := u.Reader("new", -1)
				var got []byte
				got, err = io.ReadAll(r)
				if strings.HasSuffix(string(got), end) {
					t.Errorf("%s %s: the end of the form was passed on", name, how)
				}
			}
			if !errors.Is(err, body.ErrForm) && !errors.Is(err, body.ErrTwoModels) {
				t.Errorf("%s %s: %v", name, how, err)
			}
		}
	}
}

func TestBadUpload(t *testing.T) {
	f := func(contentType, in string) {
		t.Helper()
		if _, err := body.ReadUpload(contentType, strings.NewReader(in), 1<<20); !errors.Is(err, body.ErrForm) {
			t.Errorf("%s: %v", contentType, err)
		}
	}
	f("multipart/form-data", form(t, "model", "m"))
	f("multipart/form-data; boundary", form(t, "model", "m"))
	f(formType, form(t, "model", "two\r\nlines"))
	f(formType+"; charset=utf-7", form(t, "model", "m"))
	f(formType+"; boundary=y", form(t, "model", "m"))
	reset := errors.New("connection reset")
	if _, err := body.ReadUpload(formType, iotest.ErrReader(reset), 1<<20); !errors.Is(err, reset) {
		t.Errorf("a broken connection: %v", err)
	}
}

// FuzzUpload: whatever comes, nothing of it is lost, and the only name in it is the one that Go's reader finds.
func FuzzUpload(f *testing.F) {
	f.Add("--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--x--\r\n")
	f.Add("--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\n--x\r\n\r\n--x\r\n--x--")
	f.Add("--x\r\n\r\n\r\n--x--")
	f.Add("--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n")
	f.Add("--x\r\nContent-Disposition: form-data; name=model\r\n\r\nm\r\n--x\r\nContent-Disposition: form-data; name=model\r\n\r\nn\r\n--x--")
	f.Fuzz(func(t *testing.T, in string) {
		read := func(model string) (io.Reader, int64, error) {
			u, err := body.ReadUpload("multipart/form-data; boundary=x", iotest.HalfReader(strings.NewReader(in)), 64)
			if err != nil {
				return nil, 0, err
			}
			out, length := u.Reader(model, int64(len(in)))
			return out, length, nil
		}
		out, _, err := read("")
		if err != nil {
			return
		}
		got, err := io.ReadAll(iotest.HalfReader(out))
		if err != nil {
			return
		}
		if string(got) != in {
			t.Fatalf("%q became %q", in, got)
		}
		out, length, err := read("new")
		if err != nil {
			t.Fatal(err)
		}
		got, err = io.ReadAll(iotest.OneByteReader(out))
		if err != nil || length >= 0 && length != int64(len(got)) {
			t.Fatalf("%q became %q, announced with %d: %v", in, got, length, err)
		}
		form, err := multipart.NewReader(strings.NewReader(in), "x").ReadForm(1 << 20)
		if err != nil || len(form.Value["model"]) == 0 || form.Value["model"][0] == "" {
			return
		}
		form, err = multipart.NewReader(bytes.NewReader(got), "x").ReadForm(1 << 20)
		if err != nil || len(form.Value["model"]) != 1 || form.Value["model"][0] != "new" {
			t.Fatalf("%q became %q, in which the model is %q, %v", in, got, form.Value["model"], err)
		}
	})
}

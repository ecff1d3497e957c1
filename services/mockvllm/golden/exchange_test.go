package golden

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadGivesBackWhatWriteWrote(t *testing.T) {
	file := filepath.Join(t.TempDir(), "group.jsonl")
	want := []Case{
		{Group: "group", Name: "a", About: "<b>", Server: "default", Request: Request{Method: "POST", Path: "/", Headers: []Header{{"a", "é"}}, Body: "{\"b\": 1}"},
			Before: []Request{{Method: "GET", Path: "/b"}}, Answer: &Answer{StatusLine: "HTTP/1.1 200 OK", Headers: []Header{{"c", "d"}}, Body: "x\n\n", FramesPerChunk: []int{1}}},
		{Group: "group", Name: "b", Server: "default", Request: Request{Method: "GET", Path: "/", Binary: []byte("\xff")}, After: []Request{{Method: "GET", Path: "/c"}}},
	}
	if err := Write(file, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadAll(filepath.Dir(file))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestReadAllRefuses(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "group.jsonl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadAll(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		}
	}
	f("", "no cases")
	f(`{"name":"a"} {"nam":"b"}`, "case 2")
	f(`{"name":"a"} {"name":"a"}`, "two cases are called a")
}

func TestBodyMayBeJSON(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "group.jsonl")
		if err := os.WriteFile(file, []byte(`{"name":"a","request":{"method":"POST","path":"/","body":`+body+`}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		cases, err := Read(file)
		if err != nil || string(cases[0].Request.Body) != want {
			t.Errorf("%s: %+v, %v, want %q", body, cases, err, want)
		}
	}
	f(`{"b": 1.0, "a": [ ]}`, `{"b": 1.0, "a": [ ]}`)
	f(`"text \u00e9"`, "text é")
	f(`null`, "null")
}

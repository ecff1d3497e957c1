package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/golden"
)

// call runs a command on a directory and returns its exit code and what it printed.
func call(t *testing.T, dir string, args ...string) (int, string) {
	t.Helper()
	var out strings.Builder
	code := run(t.Context(), append([]string{"--dir", dir}, args...), &out, &out)
	return code, out.String()
}

// write makes a directory with one group.
func write(t *testing.T, lines string) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	file = filepath.Join(dir, "group.jsonl")
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, file
}

// echo answers with the request line, the headers of interest and the body, and with what suffix holds.
func echo(t *testing.T) (*httptest.Server, *atomic.Pointer[string]) {
	t.Helper()
	var suffix atomic.Pointer[string]
	suffix.Store(new(string))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s host=%s type=%s length=%d %s%s", r.Method, r.URL, r.Host, r.Header.Get("Content-Type"), r.ContentLength, body, *suffix.Load())
	}))
	t.Cleanup(s.Close)
	return s, &suffix
}

const requests = `{"name":"json","server":"a","request":{"method":"POST","path":"/json","body":{"b": 1.0, "a": "é"}}}
{"name":"text","server":"a","request":{"method":"POST","path":"/text","headers":[["content-type","x/y"]],"body":"{no"}}
{"name":"whole","server":"a","request":{"method":"GET","path":"/whole","headers":[["Host","h"]]}}
{"name":"other","server":"b","request":{"method":"GET","path":"/other"}}
`

func TestRecordFillsInAnswers(t *testing.T) {
	server, suffix := echo(t)
	dir, file := write(t, requests)
	record := func(args ...string) []string {
		t.Helper()
		if code, out := call(t, dir, append(args, "record", server.URL, "a", file)...); code != 0 {
			t.Fatalf("exit code %d: %s", code, out)
		}
		cases, err := golden.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		var bodies []string
		for _, c := range cases {
			if c.Answer == nil {
				bodies = append(bodies, "none")
				continue
			}
			bodies = append(bodies, c.Answer.Body)
		}
		return bodies
	}
	want := []string{
		`POST /json host=vllm.test:8000 type=application/json length=21 {"b": 1.0, "a": "é"}`,
		`POST /text host=vllm.test:8000 type=x/y length=3 {no`,
		`GET /whole host=h type= length=0 `,
		"none",
	}
	if diff := cmp.Diff(want, record()); diff != "" {
		t.Error(diff)
	}
	changed := " changed"
	suffix.Store(&changed)
	if diff := cmp.Diff(want, record()); diff != "" {
		t.Errorf("what had an answer was recorded again:\n%s", diff)
	}
	for i := range 3 {
		want[i] += changed
	}
	if diff := cmp.Diff(want, record("--again")); diff != "" {
		t.Error(diff)
	}
}

func TestCompareTellsEachDifference(t *testing.T) {
	server, suffix := echo(t)
	dir, file := write(t, requests)
	if code, out := call(t, dir, "record", server.URL, "a", file); code != 0 {
		t.Fatalf("exit code %d: %s", code, out)
	}
	code, out := call(t, dir, "compare", server.URL, "a")
	if want := "group                         3        0\n"; code != 0 || !strings.Contains(out, want) {
		t.Errorf("same server: exit code %d, printed\n%s, want %q", code, out, want)
	}
	changed := " changed"
	suffix.Store(&changed)
	code, out = call(t, dir, "compare", server.URL, "a")
	if code != 1 || strings.Count(out, changed) != 3 || !strings.Contains(out, "group                         3        3\n") {
		t.Errorf("changed server: exit code %d, printed\n%s", code, out)
	}
	code, out = call(t, dir, "--json", "compare", server.URL, "a")
	var r report
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 1 || len(r.Differences) != 3 || r.Differences[0].Case != "group/json" {
		t.Errorf("JSON: exit code %d, %v, printed\n%s", code, err, out)
	}
	server.Close()
	if code, out := call(t, dir, "compare", server.URL, "a"); code != 1 || !strings.Contains(out, "refused") {
		t.Errorf("no server: exit code %d, printed\n%s", code, out)
	}
}

func TestCommandLine(t *testing.T) {
	dir, file := write(t, requests)
	f := func(want int, part string, args ...string) {
		t.Helper()
		if code, out := call(t, dir, args...); code != want || !strings.Contains(out, part) {
			t.Errorf("%q: exit code %d, want %d; printed\n%s", args, code, want, out)
		}
	}
	f(2, "usage:")
	f(2, "usage:", "compare", "http://127.0.0.1:1")
	f(2, "usage:", "record", "http://127.0.0.1:1", "a")
	f(2, "not defined", "--no-such-flag")
	f(3, "no URL", "compare", "127.0.0.1:1", "a")
	f(3, `no case of a server "c"`, "compare", "http://127.0.0.1:1", "c")
	f(3, "no such file", "record", "http://127.0.0.1:1", "a", file+"x")
	f(3, "3 cases were not recorded", "record", "http://127.0.0.1:1", "a", file)
	f(3, "servers.json", "real", t.TempDir())
}

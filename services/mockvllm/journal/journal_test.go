package journal

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func serve(j *Journal, r *http.Request, h http.HandlerFunc) {
	defer func() { _ = recover() }()
	j.Middleware(func(string) int64 { return 7 }, h).ServeHTTP(httptest.NewRecorder(), r)
}

func TestSecretsAreNotKept(t *testing.T) {
	j := New(3)
	r := httptest.NewRequest("POST", "/x", nil)
	r.Header = http.Header{"Authorization": {"Bearer sk-hidden"}, "Cookie": {"sk-hidden"}, "X-Api-Key": {"sk-hidden"}, "Accept": {"a", "b"}, "X-Long": {strings.Repeat("x", 1<<20)}}
	serve(j, r, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) })
	got := j.List("").Requests[0]
	want := map[string][]string{"Authorization": {"(not kept)"}, "Cookie": {"(not kept)"}, "X-Api-Key": {"(not kept)"}, "Accept": {"a", "b"}}
	if diff := cmp.Diff(want, got.Header); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(fmt.Sprint(got), "hidden") || len(got.Key) != keyDigits || got.Connection != 7 {
		t.Errorf("%+v", got)
	}
}

func TestOutcomes(t *testing.T) {
	f := func(h func(w http.ResponseWriter, e *Entry, leave func()), status int, outcome, by string) {
		t.Helper()
		j := New(3)
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		serve(j, httptest.NewRequestWithContext(ctx, "POST", "/x", nil), func(w http.ResponseWriter, r *http.Request) { h(w, Of(r.Context()), leave) })
		got := j.List("").Requests[0]
		if got.Status != status || got.Outcome != outcome || got.AbortedBy != by || (got.NoticedMS != nil) != (by == ByClient) || got.FinishedAt.IsZero() {
			t.Errorf("%+v, want %d %s %s", got, status, outcome, by)
		}
		s := j.Stats()
		if s.InFlight != 0 || s.Requests != 1 || (s.Aborted != ByWhom{}) != (by != "") {
			t.Errorf("%+v", s)
		}
	}
	f(func(w http.ResponseWriter, _ *Entry, _ func()) { w.WriteHeader(200) }, 200, Done, "")
	f(func(w http.ResponseWriter, _ *Entry, _ func()) { w.WriteHeader(429) }, 429, Refused, "")
	f(func(w http.ResponseWriter, e *Entry, _ func()) { w.WriteHeader(200); e.Streams(); e.Done(time.Now()) }, 200, Done, "")
	f(func(w http.ResponseWriter, e *Entry, leave func()) { w.WriteHeader(200); e.Streams(); leave() }, 200, Aborted, ByClient)
	f(func(_ http.ResponseWriter, _ *Entry, leave func()) { leave() }, 0, Aborted, ByClient)
	f(func(w http.ResponseWriter, e *Entry, _ func()) {
		w.WriteHeader(200)
		e.Streams()
		panic(http.ErrAbortHandler)
	}, 200, Aborted, ByServer)
	f(func(w http.ResponseWriter, e *Entry, leave func()) {
		w.WriteHeader(200)
		e.Broken(ByFault)
		leave()
		e.Left()
	}, 200, Aborted, ByFault)
	f(func(_ http.ResponseWriter, e *Entry, _ func()) { e.Broken(ByFault); e.Sent(200) }, 200, Aborted, ByFault)
}

func TestBodies(t *testing.T) {
	j := New(3)
	serve(j, httptest.NewRequest("POST", "/x", strings.NewReader("hello")), func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		Of(r.Context()).Body(b)
	})
	r := j.List("").Requests[0]
	if r.BodyBytes != 5 || r.BodySHA256 != "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" {
		t.Errorf("%+v", r)
	}
}

func TestCountsAreBounded(t *testing.T) {
	j := New(3)
	for i := range 2 * mostCounts {
		serve(j, httptest.NewRequest("GET", fmt.Sprintf("/%d", i), nil), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) })
	}
	s := j.Stats()
	if len(s.Counts) != mostCounts+1 || s.Requests != 2*mostCounts || s.Counts[mostCounts].Path != "other" || s.Counts[mostCounts].Requests != mostCounts {
		t.Errorf("%d counts, %d requests", len(s.Counts), s.Requests)
	}
	if l := j.List(""); len(l.Requests) != 3 || l.Requests[2].Path != fmt.Sprintf("/%d", 2*mostCounts-1) {
		t.Errorf("%+v", l)
	}
	j.Clear()
	if s := j.Stats(); len(s.Counts) != 0 || s.Requests != 0 {
		t.Errorf("%+v", s)
	}
}

func BenchmarkMiddleware(b *testing.B) {
	h := New(10_000).Middleware(func(string) int64 { return 1 }, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Of(r.Context()).Body(make([]byte, 300))
		w.WriteHeader(200)
	}))
	r := httptest.NewRequest("POST", "/v1/chat/completions", nil)
	r.Header = http.Header{"Content-Type": {"application/json"}, "User-Agent": {"openai-python"}, "Accept": {"*/*"}, "Accept-Encoding": {"gzip"}, "Content-Length": {"300"}}
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}

package starlette

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPathValues(t *testing.T) {
	f := func(template, path string, want ...string) {
		t.Helper()
		got, ok := pathValues(template, path)
		if ok != (want != nil) || !slices.Equal(got, slices.DeleteFunc(want, func(s string) bool { return s == "" })) {
			t.Errorf("%s, %s: %q, %v", template, path, got, ok)
		}
	}
	f("/a", "/a", "")
	f("/a", "/b")
	f("/a/{x}", "/a/1", "1")
	f("/a/{x}", "/a/")
	f("/a/{x}", "/a/1/2")
	f("/a/{x}/b", "/a/1/b", "1")
	f("/a/{x}/b", "/a/1")
	f("/a/{x}/{y}", "/a/1/2", "1", "2")
}

func TestFirstRouteWins(t *testing.T) {
	say := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(name + r.PathValue("x"))) }
	}
	router := NewRouter([]Route{{"GET", "/a/{x}", say("named "), Kind{}}, {"POST", "/a/b", say("fixed"), Kind{}},
		{"GET", "/a/b", say("never"), Kind{}}}, Mount{"/m", say("mount")})
	f := func(method, path, want string) {
		t.Helper()
		w := httptest.NewRecorder()
		router.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
		if got := w.Header().Get("Allow") + w.Header().Get("Location") + w.Body.String(); got != want {
			t.Errorf("%s %s: %s, want %s", method, path, got, want)
		}
	}
	f("GET", "/a/b", "named b")
	f("POST", "/a/b", "fixed")
	f("PUT", "/a/b", `GET{"detail":"Method Not Allowed"}`)
	f("GET", "/a/c", "named c")
	f("POST", "/a/c", `GET{"detail":"Method Not Allowed"}`)
	f("GET", "/a/c//?q=1", "http://example.com/a/c?q=1")
	f("GET", "/a/%C3%A9%20%7C%25+/", "http://example.com/a/%C3%A9%20%7C%+")
	f("GET", "/a/", missingBody)
	f("PUT", "/mx", "mount")
}

const missingBody = `{"detail":"Not Found"}`

func FuzzRouter(f *testing.F) {
	for _, path := range []string{"/", "//", "/a/{x}", "/v1/responses/%2f/cancel", "/v1/models/", "/metrics{", "/adapters/é"} {
		f.Add(path)
	}
	var routes []Route
	for _, path := range []string{"/metrics", "/v1/models", "/v1/responses/{response_id}", "/v1/responses/{response_id}/cancel", "/adapters", "/adapters/{name}", "/{a}/{b}"} {
		routes = append(routes, Route{Methods: "GET", Path: path})
	}
	router := NewRouter(routes)
	f.Fuzz(func(t *testing.T, path string) {
		for _, rt := range router.find(path) {
			values, ok := pathValues(rt.Path, path)
			if !ok || len(values) != strings.Count(rt.Path, "{") {
				t.Errorf("%s for %q: %q", rt.Path, path, values)
			}
		}
	})
}

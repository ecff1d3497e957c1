package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/telemetry"
	"github.com/fluidmcp/fluidmcp/internal/web"
)

// line is the log line of a request.
type line struct {
	Level, Method, Path, Error, Extra string
	RequestID                         string `json:"request_id"`
	Status                            int
	Bytes                             int64
}

// logged serves one request and returns the answer and its log line.
func logged(t *testing.T, h http.Handler, r *http.Request) (*httptest.ResponseRecorder, line) {
	t.Helper()
	var out bytes.Buffer
	log, err := telemetry.NewLogger(&out, "debug")
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	func() {
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				panic(p)
			}
		}()
		web.Logged(log, h).ServeHTTP(rec, r)
	}()
	var l line
	if err := json.Unmarshal(out.Bytes(), &l); err != nil {
		t.Fatalf("not one line: %v in %q", err, out.String())
	}
	return rec, l
}

func TestHandlerWritesFailures(t *testing.T) {
	f := func(name string, h web.Handler, status int, body, level, logErr string) {
		t.Run(name, func(t *testing.T) {
			rec, l := logged(t, h, httptest.NewRequest("GET", "/x", nil))
			if rec.Code != status || !strings.Contains(rec.Body.String(), body) {
				t.Errorf("sent %d %q, want %d %q", rec.Code, rec.Body, status, body)
			}
			if l.Status != status || l.Level != level || l.Error != logErr || l.Method != "GET" || l.Path != "/x" || l.Bytes != int64(rec.Body.Len()) {
				t.Errorf("logged %+v", l)
			}
		})
	}
	f("none", func(w http.ResponseWriter, _ *http.Request) error { return web.JSON(w, 201, map[string]int{"a": 1}) },
		201, `{"a":1}`, "info", "")
	f("nothing written", func(http.ResponseWriter, *http.Request) error { return nil }, 200, "", "info", "")
	f("envelope", func(http.ResponseWriter, *http.Request) error {
		return fmt.Errorf("find: %w", &openai.Error{Status: 404, Type: openai.TypeNotFound, Message: "none", Cause: io.EOF})
	}, 404, `"message":"none"`, "info", "find: none: EOF")
	f("any other", func(http.ResponseWriter, *http.Request) error { return errors.New("password is xyz") },
		500, `"code":"internal_error"`, "warn", "password is xyz")
	f("after the header", func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(202)
		return errors.New("too late")
	}, 202, "", "info", "too late")
	f("unencodable", func(w http.ResponseWriter, _ *http.Request) error { return web.JSON(w, 200, func() {}) },
		500, `"code":"internal_error"`, "warn", "encode response: json: unsupported type: func()")
}

func TestEarlyHintsAreNotTheAnswer(t *testing.T) {
	_, l := logged(t, web.Handler(func(w http.ResponseWriter, r *http.Request) error {
		w.WriteHeader(http.StatusEarlyHints)
		return web.NotFound(w, r)
	}), httptest.NewRequest("GET", "/x", nil))
	if l.Status != 404 || l.Error != "No route for GET /x." {
		t.Errorf("logged %+v", l)
	}
}

func TestClientThatLeftIs499(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	h := web.Handler(func(_ http.ResponseWriter, r *http.Request) error {
		leave()
		return fmt.Errorf("wait: %w", r.Context().Err())
	})
	rec, l := logged(t, h, httptest.NewRequest("GET", "/", nil).WithContext(ctx))
	if l.Status != web.StatusClientClosed || rec.Body.Len() != 0 {
		t.Errorf("logged %+v, sent %q", l, rec.Body)
	}
}

func TestRequestID(t *testing.T) {
	var seen string
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Get(web.RequestIDHeader) })
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set(web.RequestIDHeader, "mine")
	rec, l := logged(t, h, r)
	if got := rec.Header().Get(web.RequestIDHeader); got != "mine" || seen != "mine" || l.RequestID != "mine" {
		t.Errorf("answer %q, handler %q, log %q", got, seen, l.RequestID)
	}
	rec, l = logged(t, h, httptest.NewRequest("GET", "/", nil))
	if got := rec.Header().Get(web.RequestIDHeader); len(got) != 16 || seen != got || l.RequestID != got {
		t.Errorf("answer %q, handler %q, log %q; want 16 hex digits everywhere", got, seen, l.RequestID)
	}
}

// An id goes into logs, into the id of the answer and to other servers. What does not fit there is replaced.
func TestRequestIDsOfClients(t *testing.T) {
	f := func(name string, kept bool, ids ...string) {
		t.Run(name, func(t *testing.T) {
			var seen []string
			h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header[web.RequestIDHeader] })
			r := httptest.NewRequest("GET", "/", nil)
			r.Header[web.RequestIDHeader] = ids
			rec, l := logged(t, h, r)
			got := rec.Header()[web.RequestIDHeader]
			if len(got) != 1 || len(seen) != 1 || seen[0] != got[0] || l.RequestID != got[0] || (got[0] == ids[0]) != kept {
				t.Errorf("answer %q, handler %q, log %q", got, seen, l.RequestID)
			}
		})
	}
	f("all that is allowed", true, "0123456789-ABCXYZ_abcxyz.:")
	f("the longest", true, strings.Repeat("x", 128))
	f("too long", false, strings.Repeat("x", 129))
	f("empty", false, "")
	f("a space", false, "a b")
	f("a tab", false, "a\tb")
	f("a control byte", false, "a\x1b[2Jb")
	f("a new line", false, "a\nb")
	f("a quote", false, `a"b`)
	f("not ASCII", false, "é")
	f("a path", false, "../a")
	f("two", false, "a", "b")
	f("an API key", false, leaked)
}

const leaked = "fmcp_0123456789abcdef0123456789abcdef"

// A client may take its key for the name of a model. Neither its answer nor the log repeats it.
func TestKeysAreNotRepeated(t *testing.T) {
	rec, l := logged(t, web.Handler(web.NotFound), httptest.NewRequest("GET", "/v1/models/"+leaked, nil))
	if want := "No route for GET /v1/models/(a secret)."; !strings.Contains(rec.Body.String(), want) || l.Error != want || l.Path != "/v1/models/(a secret)" {
		t.Errorf("sent %s, logged %+v", rec.Body, l)
	}
}

// A header may be long, and a line of the log not for that.
func TestLongRequestLinesAreCut(t *testing.T) {
	r := httptest.NewRequest("GET", "/"+strings.Repeat("é", 30_000), nil)
	r.Method = strings.Repeat("X", 30_000)
	rec, l := logged(t, web.Handler(web.NotFound), r)
	if len(l.Path) > 1100 || !strings.HasSuffix(l.Path, "é…") || l.Method != strings.Repeat("X", 29)+"…" || len(l.Error) > 400 || rec.Body.Len() > 500 {
		t.Errorf("logged %d bytes of path, %d of method, %d of error; sent %d", len(l.Path), len(l.Method), len(l.Error), rec.Body.Len())
	}
}

// The fields of a line are used again; none of one request may stand in the line of another.
func TestLinesDoNotMix(t *testing.T) {
	_, l := logged(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		rec := web.RecordOf(r.Context())
		rec.Err = errors.New("failed")
		for range 40 { // more than were kept
			rec.Add(zap.String("extra", "told"))
		}
	}), httptest.NewRequest("GET", "/", nil))
	if l.Extra != "told" || l.Error != "failed" {
		t.Errorf("logged %+v", l)
	}
	for range 10 {
		_, l := logged(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), httptest.NewRequest("GET", "/", nil))
		if l.Extra != "" || l.Error != "" || l.Status != 200 {
			t.Errorf("logged %+v", l)
		}
	}
}

func TestRecordTakesFields(t *testing.T) {
	_, l := logged(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		web.RecordOf(r.Context()).Add(zap.String("extra", "told"))
		panic(http.ErrAbortHandler)
	}), httptest.NewRequest("GET", "/", nil))
	if l.Extra != "told" {
		t.Errorf("logged %+v; an aborted request has to be told as well", l)
	}
	web.RecordOf(t.Context()).Add(zap.String("nobody", "reads this"))
}

// TestRecorderReachesTheConnection: flushing works by both ways that libraries use.
func TestRecorderReachesTheConnection(t *testing.T) {
	rec, _ := logged(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("hijacking a recorder: %v", err)
		}
	}), httptest.NewRequest("GET", "/", nil))
	if !rec.Flushed {
		t.Error("not flushed")
	}
}

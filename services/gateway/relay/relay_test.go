package relay_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/internal/sse"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/relay"
	"github.com/fluidmcp/fluidmcp/services/gateway/upstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTimesOfAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ms := time.Millisecond
		r := play(t, events, nil,
			piece{after: 100 * ms, text: "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n"},
			piece{after: 50 * ms, text: token("a")},
			piece{after: 20 * ms, text: token("b") + token("c")},
			piece{after: 4 * time.Second, text: token("d")},
			piece{text: done}, piece{err: io.EOF})
		if r.err != nil || r.result.Outcome != relay.Completed || !r.answer.Stream || r.answer.Status != 200 {
			t.Errorf("%v, %+v", r.err, r.result)
		}
		if diff := cmp.Diff([]time.Duration{20 * ms, 0, 4 * time.Second}, r.meter.gaps); diff != "" || r.meter.first != 150*ms {
			t.Errorf("first token after %s, gaps (-want +got):\n%s", r.meter.first, diff)
		}
		if !r.body.closed {
			t.Error("the backend's answer was not closed")
		}
	})
}

// TestSilence: each kind of silence has its limit, and nothing but silence has.
func TestSilence(t *testing.T) {
	f := func(name, contentType string, took time.Duration, wantErr, wantResult string, pieces ...piece) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := play(t, contentType, nil, pieces...)
				got := ""
				if r.result.Err != nil {
					got = r.result.Err.Error()
				}
				if r.took != took || got != wantResult || (r.err == nil) != (wantErr == "") || r.err != nil && !strings.Contains(r.err.Error(), wantErr) {
					t.Errorf("after %s: error %v, result %+v; want %s, %q, %q", r.took, r.err, r.result, took, wantErr, wantResult)
				}
			})
		})
	}
	const second = time.Second
	idle := "waited 5s for the next byte of the model server"
	f("before the first frame", events, 10*second, "waited 10s for the first byte of the model server", "")
	f("half a first frame", events, 10*second, "waited 10s for the first byte of the model server", "", piece{after: second, text: "data: {"})
	f("in a stream", events, 7*second, "", idle, piece{after: 2 * second, text: token("a")})
	f("slow but alive", events, 16*second, "", "", piece{after: 4 * second, text: token("a")}, piece{after: 4 * second, text: ": comment\n\n"},
		piece{after: 4 * second, text: token("b")}, piece{after: 4 * second, text: done}, piece{err: io.EOF})
	f("after DONE", events, 2*second, "", "", piece{after: second, text: token("a") + done})
	f("in a plain answer", "application/json", 6*second, idle, "", piece{after: second, text: "{"})
	f("slow plain answer", "application/json", 8*second, "", "", piece{after: 4 * second, text: "{"}, piece{after: 4 * second, text: "}"}, piece{err: io.EOF})
}

func TestPlainAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, "application/json", nil, piece{text: `{"usage":{"prompt_tokens":4,`}, piece{text: `"completion_tokens":2}}`}, piece{err: io.EOF})
		if r.err != nil || r.answer.Stream || r.result.Outcome != relay.Completed || r.result.Usage != (relay.Usage{Prompt: 4, Completion: 2}) {
			t.Errorf("%v, %+v", r.err, r.result)
		}
		if got := r.recorder.Header().Get("Content-Length"); got != "51" {
			t.Errorf("Content-Length = %q for %q", got, r.recorder.Body)
		}
	})
}

func TestReceiveFailsClosed(t *testing.T) {
	f := func(name, contentType, want string, pieces ...piece) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := play(t, contentType, nil, pieces...)
				if r.err == nil || !strings.Contains(r.err.Error(), want) || !r.body.closed || r.recorder.Body.Len() > 0 {
					t.Errorf("error %v, closed %v, sent %q; want %q", r.err, r.body.closed, r.recorder.Body, want)
				}
			})
		})
	}
	reset := errors.New("connection reset")
	f("empty stream", events, "ended before its first event", piece{err: io.EOF})
	f("stream reset", events, "connection reset", piece{err: reset})
	f("torn first frame", events, "unexpected EOF", piece{text: "data: {"}, piece{err: io.EOF})
	f("endless first frame", events, "over the limit", piece{text: "data: " + strings.Repeat("x", 9<<20)})
	f("half an object", "application/json", "middle of its JSON", piece{text: `{"a":`}, piece{err: io.EOF})
	f("plain reset", "application/json", "connection reset", piece{text: "abc"}, piece{err: reset})
}

// TestHalfJSON: wherever an answer is cut, also where its end is only that of its connection, it is not taken for whole.
func TestHalfJSON(t *testing.T) {
	f := func(text string, whole bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			r := play(t, "application/json", nil, piece{text: text}, piece{err: io.EOF})
			if (r.err == nil) != whole || !whole && r.recorder.Body.Len() > 0 {
				t.Errorf("%q: error %v, sent %q", text, r.err, r.recorder.Body)
			}
		})
	}
	const all = " {\"a\":[{\"b\":-1.5e3},\"né\U0001f600\\n\\u00e9\"],\"c\":{\"d\":{}}, \"e\":true,\"f\":NaN}"
	for n := 2; n < len(all); n++ {
		f(all[:n], false)
	}
	f(all, true)
	f(all+" \n", true)
	f("", false)
	f("not JSON at all", true) // it is as the server says it
	f("[1,", true)
	f(`{"a":1}{"b":2}`, true)
	f(`{"a":01}`, true)
}

// TestTooLateForAStatus: what breaks after the first byte.
func TestTooLateForAStatus(t *testing.T) {
	reset := errors.New("connection reset")
	cause := func(err error) func(*relay.Options) {
		return func(o *relay.Options) { o.Cause = func() error { return err } }
	}
	f := func(name, contentType string, change func(*relay.Options), want relay.Outcome, abort bool, end string, pieces ...piece) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := play(t, contentType, change, pieces...)
				if r.err != nil || r.result.Outcome != want || r.result.Abort != abort || !strings.HasSuffix(r.recorder.Body.String(), end) {
					t.Errorf("%v, %+v, sent ...%q", r.err, r.result, tail(r.recorder.Body.String()))
				}
			})
		})
	}
	lost := []piece{{text: token("a")}, {err: reset}}
	f("reset", events, nil, relay.Interrupted, false, `"code":"stream_interrupted"}}`+"\n\n", lost...)
	f("the gateway stops", events, cause(web.ErrStopping), relay.Interrupted, false, `"code":"stream_interrupted"}}`+"\n\n", lost...)
	f("the client left", events, cause(web.ErrClientLeft), relay.ClientClosed, false, token("a"), lost...)
	f("no DONE needed", events, func(o *relay.Options) { o.End = relay.EndOfTransfer }, relay.Completed, false, "data: {}\n\n", piece{text: "data: {}\n\n"}, piece{err: io.EOF})
	f("completions by another path", events, func(o *relay.Options) { o.End = relay.EndOfTransfer }, relay.Interrupted, false,
		`"code":"stream_interrupted"}}`+"\n\n", piece{text: ": comment\n\n" + token("a")}, piece{err: io.EOF})
	const abort = "data: {\"choices\":[{\"delta\":{\"content\":\"\"},\"finish_reason\":\"abort\"}]}\n\n"
	failure := sse.AppendData(nil, []byte(`{"error":{"message":"of its own"}}`))
	f("given up", events, nil, relay.Interrupted, false, abort+string(sse.AppendData(nil, []byte(`{"error":{"message":"The model server stopped in the middle of the answer. `+
		`What came before is incomplete; send the request again.","type":"upstream_error","param":null,"code":"stream_interrupted"}}`))), piece{text: token("a") + abort + done}, piece{err: io.EOF})
	f("an answer of no tokens", events, nil, relay.Completed, false, done, piece{text: strings.Replace(abort, `"abort"`, "null", 1) + done}, piece{err: io.EOF}) // as of a beam search for none
	f("given up, and told so", events, nil, relay.Failed, false, string(failure)+done, piece{text: token("a") + abort + string(failure) + done}, piece{err: io.EOF})
	big := piece{text: strings.Repeat("x", 8<<20)}
	f("big and cut", "application/json", nil, relay.Interrupted, true, "xyz", big, piece{text: "xyz"}, piece{err: reset})
	f("big and left", "application/json", cause(web.ErrClientLeft), relay.ClientClosed, true, "x", big, piece{err: reset})
	f("big and whole", "application/json", nil, relay.Completed, false, "xyz", big, piece{text: "xyz"}, piece{err: io.EOF})
}

// TestUnannouncedBytes: what is no JSON and has no length, such as speech, passes piece by piece.
func TestUnannouncedBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, "audio/mpeg", nil, piece{text: "abc"}, piece{after: 4 * time.Second, text: "def"}, piece{err: io.EOF})
		if r.err != nil || r.result.Outcome != relay.Completed || r.recorder.Body.String() != "abcdef" || !r.recorder.Flushed {
			t.Errorf("%v, %+v, sent %q", r.err, r.result, r.recorder.Body)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r := play(t, "audio/mpeg", nil, piece{text: "abc"}, piece{err: errors.New("connection reset")})
		if r.result.Outcome != relay.Interrupted || !r.result.Abort {
			t.Errorf("cut: %+v", r.result)
		}
	})
}

func tail(s string) string { return s[max(0, len(s)-200):] }

// deaf is a client that takes nothing more.
type deaf struct{ http.ResponseWriter }

func (deaf) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }
func (deaf) Flush()                    {}

func TestClientTakesNothing(t *testing.T) {
	f := func(contentType, body string) {
		t.Helper()
		_, patience := new(upstream.Watches).WithPatience(t.Context(), time.Minute, 0)
		defer patience.Stop()
		resp := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body))}
		a, err := relay.Receive(resp, relay.Options{Patience: patience, Idle: time.Minute, Memory: &store{left: room}, Meter: &meter{}, Cause: func() error { return nil }})
		if err != nil {
			t.Fatal(err)
		}
		if r := a.Send(deaf{httptest.NewRecorder()}, false); r.Outcome != relay.ClientClosed || r.Err == nil {
			t.Errorf("%s: %+v", contentType, r)
		}
	}
	f(events, token("a"))
	f("text/plain", "abc")
	f("text/plain", strings.Repeat("x", 9<<20))
}

// flushes counts how often a client's connection was flushed.
type flushes struct {
	*httptest.ResponseRecorder
	n int
}

func (f *flushes) FlushError() error { f.n++; return nil }

// TestNoContentType: an answer that says nothing about its type gets none here either. net/http would guess one.
func TestNoContentType(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp := &http.Response{StatusCode: 200, Header: http.Header{}, ContentLength: 7, Body: io.NopCloser(strings.NewReader("Success"))}
		ctx, patience := new(upstream.Watches).WithPatience(r.Context(), time.Minute, 0)
		defer patience.Stop()
		a, err := relay.Receive(resp, relay.Options{Patience: patience, Idle: time.Minute, Meter: &meter{}, Cause: ctx.Err})
		if err != nil {
			t.Error(err)
			return
		}
		a.Send(w, false)
	}))
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); string(text) != "Success" || err != nil || len(resp.Header["Content-Type"]) > 0 {
		t.Errorf("%q, %v, %v", text, err, resp.Header)
	}
}

// TestFlush: a frame that came alone goes alone; those that came together go together, but for the very first.
func TestFlush(t *testing.T) {
	f := func(want int, pieces ...piece) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			ctx, patience := new(upstream.Watches).WithPatience(t.Context(), time.Minute, 0)
			defer patience.Stop()
			resp := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {events}}, Body: &script{ctx: ctx, pieces: append(pieces, piece{err: io.EOF})}}
			a, err := relay.Receive(resp, relay.Options{Patience: patience, Idle: time.Minute, Meter: &meter{}, Cause: func() error { return nil }})
			if err != nil {
				t.Fatal(err)
			}
			out := &flushes{ResponseRecorder: httptest.NewRecorder()}
			if a.Send(out, false); out.n != want {
				t.Errorf("%d flushes, want %d", out.n, want)
			}
		})
	}
	f(3, piece{text: token("a")}, piece{text: token("b")}, piece{text: done})
	f(2, piece{text: token("a") + token("b") + done})
	f(3, piece{text: token("a") + token("b")}, piece{text: token("c") + done})
	f(2, piece{text: token("a") + "data: {"}, piece{text: "}\n\n" + done})
}

// slow is a client that takes a second for each flush.
type slow struct{ *httptest.ResponseRecorder }

func (slow) Flush() { time.Sleep(time.Second) }

// TestClientFirst: a token is counted when the client has it.
func TestClientFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, patience := new(upstream.Watches).WithPatience(t.Context(), time.Minute, 0)
		defer patience.Stop()
		resp := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {events}}, Body: &script{ctx: ctx,
			pieces: []piece{{text: token("a")}, {text: token("b")}, {err: io.EOF}}}}
		m := &meter{start: time.Now()}
		a, err := relay.Receive(resp, relay.Options{Patience: patience, Idle: time.Minute, Meter: m, Cause: func() error { return nil }})
		if err != nil {
			t.Fatal(err)
		}
		a.Send(slow{httptest.NewRecorder()}, false)
		if m.first != time.Second || len(m.gaps) != 1 || m.gaps[0] != time.Second {
			t.Errorf("first token after %s, gaps %v", m.first, m.gaps)
		}
	})
}

// TestEnding: what a server says when it goes, and what is only a model's text, or the failure of one request.
func TestEnding(t *testing.T) {
	f := func(name string, want bool, status int, contentType, body string) {
		t.Run(name, func(t *testing.T) {
			ctx, patience := new(upstream.Watches).WithPatience(t.Context(), time.Minute, 0)
			defer patience.Stop()
			resp := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, ContentLength: -1, Request: &http.Request{Method: "POST"},
				Body: &script{ctx: ctx, pieces: []piece{{text: body}, {err: io.EOF}}}}
			a, err := relay.Receive(resp, relay.Options{Patience: patience, Idle: time.Minute, Cause: func() error { return nil }})
			if err != nil {
				t.Fatal(err)
			}
			if got := a.Ending(); got != want {
				t.Errorf("%t", got)
			}
		})
	}
	const words = "EngineCore encountered an issue"
	f("stream", true, 200, events, `data: {"error":{"message":"`+words+`"}}`+"\n\n")
	f("text of a stream", false, 200, events, token(words))
	f("comment", false, 200, events, ": "+words+"\n\n")
	f("failed stream", false, 200, events, `data: {"error":{"message":"too long"}}`+"\n\n")
	f("plain", true, 500, "application/json", `{"error":{"message":"`+words+`"}}`)
	f("failed request", false, 500, "application/json", `{"error":{"message":"too long"}}`)
	f("text", false, 200, "application/json", `{"text":"`+words+`"}`)
}

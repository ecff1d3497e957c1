package engine_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/supervisor/engine"
	"github.com/fluidmcp/fluidmcp/services/supervisor/engine/enginetest"
)

// client returns one for the engine.
func client(t *testing.T, e *enginetest.Engine) *engine.Client {
	t.Helper()
	c := engine.New(e.Socket)
	t.Cleanup(c.Close)
	return c
}

func TestCallsAreThoseOfTheAPI(t *testing.T) {
	e := enginetest.New(t)
	box := e.Add("model", engine.ModelLabel, "m")
	c := client(t, e)

	all, err := c.List(t.Context())
	if err != nil || len(all) != 1 || !all[0].Named("model") || all[0].Named("mod") || all[0].Name() != "model" || all[0].Labels[engine.ModelLabel] != "m" {
		t.Errorf("list %+v, %v", all, err)
	}
	for range 2 { // a second start changes nothing
		if err := c.Start(t.Context(), "model"); err != nil {
			t.Error(err)
		}
	}
	e.Do(func() { box.Print("hello") })
	found, err := c.Inspect(t.Context(), "model")
	if err != nil || found.ID != box.ID || !found.State.Running || found.State.FinishedAt.Year() > 1 || found.Config.Labels[engine.ModelLabel] != "m" {
		t.Errorf("inspect %+v, %v", found, err)
	}
	if err := c.Stop(t.Context(), box.ID, 1500*time.Millisecond); err != nil {
		t.Error(err)
	}
	begun := 0
	if code, err := c.Wait(t.Context(), box.ID, func() error { begun++; return nil }); code != 0 || err != nil || begun != 1 {
		t.Errorf("wait %d, %v", code, err)
	}
	enough := errors.New("enough")
	if _, err := c.Wait(t.Context(), box.ID, func() error { return enough }); !errors.Is(err, enough) {
		t.Errorf("wait of no use: %v", err)
	}
	log, err := c.Logs(t.Context(), box.ID, engine.Listen{Since: time.Unix(7, 8), Tail: 9, Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var text strings.Builder
	if err := engine.Demultiplex(&text, log); err != nil || text.String() != "hello\n" {
		t.Errorf("log %q, %v", &text, err)
	}
	if err := c.Kill(t.Context(), box.ID); err != nil {
		t.Error(err)
	}
	want := []string{
		"GET /_ping",
		"GET /v1.41/containers/json?all=1",
		"POST /v1.41/containers/model/start",
		"POST /v1.41/containers/model/start",
		"GET /v1.41/containers/model/json",
		"POST /v1.41/containers/" + box.ID + "/stop?t=2",
		"POST /v1.41/containers/" + box.ID + "/wait?condition=not-running",
		"POST /v1.41/containers/" + box.ID + "/wait?condition=not-running",
		"GET /v1.41/containers/" + box.ID + "/logs?follow=1&since=7.000000008&stderr=1&stdout=1&tail=9",
		"POST /v1.41/containers/" + box.ID + "/kill",
	}
	if diff := cmp.Diff(want, e.Requests()); diff != "" {
		t.Error(diff)
	}
}

func TestFailuresSayWhatIsWrong(t *testing.T) {
	e := enginetest.New(t)
	c := client(t, e)
	_, err := c.Inspect(t.Context(), "a/../b")
	if !engine.NotFound(err) || err.Error() != "page not found" && !strings.Contains(err.Error(), "No such container") {
		t.Errorf("%v", err)
	}
	if got := e.Requests(); strings.Count(got[len(got)-1], "/") != 4 {
		t.Errorf("the id became a path: %s", got[len(got)-1])
	}
	e.Down()
	if _, err := c.List(t.Context()); err == nil || engine.NotFound(err) || !strings.Contains(err.Error(), e.Socket) || strings.Contains(err.Error(), "containers/json") {
		t.Errorf("%v", err)
	}
	e.Up()
	if _, err := c.List(t.Context()); err != nil {
		t.Errorf("after the engine came back: %v", err)
	}
	none := engine.New(filepath.Join(t.TempDir(), "none"))
	if _, err := none.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v", err)
	}
}

// TestOddAnswers meets servers that are no engine, or one of another age.
func TestOddAnswers(t *testing.T) {
	f := func(name string, status int, body, want string) {
		t.Helper()
		socket := filepath.Join(t.TempDir(), "s")
		ln, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/_ping" {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			}
		})}
		go func() { _ = server.Serve(ln) }()
		defer server.Close()
		c := engine.New(socket)
		defer c.Close()
		if _, err := c.List(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	f("no JSON", http.StatusOK, "<html>", "GET /v1.41/containers/json")
	f("nothing", http.StatusOK, "", "EOF")
	f("an error without a message", http.StatusTeapot, "short and stout", "418 I'm a teapot")
	f("an error with one", http.StatusConflict, `{"message": "in use"}`, "in use")
}

func TestFrames(t *testing.T) {
	frame := enginetest.Frame
	f := func(name, stream, want, fault string) {
		t.Helper()
		var got strings.Builder
		err := engine.Demultiplex(&got, strings.NewReader(stream))
		if got.String() != want || (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %q, %v", name, &got, err)
		}
	}
	two := string(frame(1, "out\n")) + string(frame(2, "err\n"))
	f("none", "", "", "")
	f("both streams", two, "out\nerr\n", "")
	f("an empty one", string(frame(1, ""))+two, "out\nerr\n", "")
	f("cut in a head", two+"\x01\x00", "out\nerr\n", "unexpected EOF")
	f("cut in a text", two[:len(two)-2], "out\ner", "unexpected EOF")
	f("a terminal's", "plain text without frames", "", "70 6c 61 69 6e 20 74 65 is not the head")
	f("the engine's failure", two+string(frame(3, "disk is gone")), "out\nerr\n", "disk is gone")
}

func TestDemultiplexStopsWithItsWriter(t *testing.T) {
	full := errors.New("full")
	err := engine.Demultiplex(writer(func([]byte) (int, error) { return 0, full }), bytes.NewReader(enginetest.Frame(1, "x")))
	if !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// FuzzDemultiplex checks that no stream makes more of itself than it holds, and that what it takes for frames are frames.
func FuzzDemultiplex(f *testing.F) {
	f.Add(append(enginetest.Frame(1, "a\n"), enginetest.Frame(2, "b\r")...))
	f.Add([]byte("\x01\x00\x00\x00\xff\xff\xff\xffx"))
	f.Add(enginetest.Frame(3, "gone"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		var got bytes.Buffer
		err := engine.Demultiplex(&got, bytes.NewReader(stream))
		if got.Len() > len(stream) {
			t.Errorf("%d bytes of %d", got.Len(), len(stream))
		}
		if err != nil {
			return
		}
		rest := stream
		for len(rest) >= 8 {
			n := 8 + int(rest[4])<<24 + int(rest[5])<<16 + int(rest[6])<<8 + int(rest[7])
			if n > len(rest) {
				break
			}
			rest = rest[n:]
		}
		if len(rest) > 0 {
			t.Errorf("%q was left over without a word", rest)
		}
	})
}

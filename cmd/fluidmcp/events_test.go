package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	started = `{"number":6,"at":"2026-11-23T09:26:00Z","reason":"SupervisorStarted","message":"pid 7"}`
	died    = `{"number":7,"at":"2026-11-23T09:26:01Z","model":"m","instance":"m-0","from":"ready","phase":"backoff","reason":"Exited","message":"starting again in 1s","exit":{"code":137,"signal":"killed"}}`
	stopped = `{"number":9,"at":"2026-11-23T09:26:02Z","model":"m","instance":"m-0","from":"stopping","phase":"stopped","by":"api","exit":{"code":0}}`
)

// history is a gateway that answers with events. Each stream that is asked for is the next one of streams.
func history(t *testing.T, asked *[]string, streams ...func(w io.Writer)) string {
	t.Helper()
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, strings.TrimSpace(r.URL.String()+" "+r.Header.Get("Last-Event-ID")))
		if !r.URL.Query().Has("follow") {
			fmt.Fprintf(w, `{"events":[%s,%s,%s]}`, started, died, stopped)
			return
		}
		if len(streams) == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"error":{"message":"The supervisor cannot be reached."}}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		stream := streams[0]
		streams = streams[1:]
		stream(w)
	}))
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		gateway.Close()
	})
	return gateway.URL
}

func TestEventsAreListed(t *testing.T) {
	t.Setenv("TZ", "UTC")
	var asked []string
	url := history(t, &asked)
	code, out, failed := fluidmcp(t, "events", "--url", url)
	require.Zero(t, code, failed)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 3)
	require.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  supervisor +SupervisorStarted, pid 7$`, lines[0])
	require.Contains(t, lines[1], "m-0                   ready → backoff         Exited, signal killed, starting again in 1s")
	require.Contains(t, lines[2], "stopping → stopped      by api, exit code 0")

	code, out, _ = fluidmcp(t, "events", "--url", url, "--json", "--since", "15m", "--model", "org/m")
	require.Zero(t, code)
	require.Equal(t, started+"\n"+died+"\n"+stopped+"\n", out)
	require.Equal(t, []string{"/api/llm/events?limit=100", "/api/llm/models/org%2Fm/events?since=15m"}, asked)
}

// TestEventsAreFollowed has a stream that breaks off, a supervisor that is away for a moment, and one that is back.
func TestEventsAreFollowed(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	var asked []string
	url := history(t, &asked,
		func(w io.Writer) {
			fmt.Fprintf(w, ": events\n\nid: 6\ndata: %s\n\nid: 7\ndata: %s\n\nid: 8\nda", started, died)
		},
		func(w io.Writer) {
			fmt.Fprintf(w, "id: 9\ndata: %s\n\n", stopped)
		})
	var notes bytes.Buffer
	out := untilSaid{text: stopped, then: leave}
	require.Zero(t, execute(ctx, []string{"events", "-f", "--json", "--since", "0", "--url", url}, &out, &notes))
	require.Equal(t, started+"\n"+died+"\n"+stopped+"\n", out.String())
	require.Equal(t, []string{"/api/llm/events?follow=true&since=0", "/api/llm/events?follow=true&since=0 7"}, asked)
	require.Equal(t, 1, strings.Count(notes.String(), "broke off"), notes.String())
}

// untilSaid keeps what is written, and calls then once that has the text.
type untilSaid struct {
	bytes.Buffer
	text string
	then func()
}

func (u *untilSaid) Write(p []byte) (int, error) {
	n, err := u.Buffer.Write(p)
	if strings.Contains(u.String(), u.text) {
		u.then()
	}
	return n, err
}

func TestEventsThatCannotBeHad(t *testing.T) {
	var asked []string
	url := history(t, &asked)
	for _, args := range [][]string{{"events", "-f"}, {"events", "-f", "--model", "m"}} {
		code, out, failed := fluidmcp(t, append(args, "--url", url)...)
		require.Equal(t, 1, code)
		require.Empty(t, out)
		require.Contains(t, failed, "The supervisor cannot be reached.")
	}
	code, _, failed := fluidmcp(t, "events", "m")
	require.Equal(t, 1, code)
	require.Contains(t, failed, `"m" is one argument too many`)
}

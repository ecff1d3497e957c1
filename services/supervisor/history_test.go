package supervisor_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/supervisor/store"
)

// happened returns what the supervisor tells at a path with a query.
func (s *stack) happened(path string) []store.Event {
	s.t.Helper()
	status, body := s.do(http.MethodGet, "/api/llm/"+path, "")
	require.Equal(s.t, http.StatusOK, status, body)
	return decode[struct{ Events []store.Event }](s.t, body).Events
}

// brief is an event in a line: from, phase, reason, by.
func brief(e store.Event) string {
	return strings.TrimRight(fmt.Sprintf("%s>%s %s %s", e.From, e.Phase, e.Reason, e.By), " ")
}

func briefs(events []store.Event) (list []string) {
	for _, e := range events {
		list = append(list, brief(e))
	}
	return list
}

// eventStream is a stream of events.
type eventStream struct {
	t     *testing.T
	lines *bufio.Scanner
	seen  []store.Event
}

// listen opens a stream that ends with the test.
func (s *stack) listen(path, last string) *eventStream {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/llm/"+path, nil)
	require.NoError(s.t, err)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := s.client.Do(req)
	require.NoError(s.t, err)
	s.t.Cleanup(func() {
		cancel()
		resp.Body.Close()
	})
	require.Equal(s.t, http.StatusOK, resp.StatusCode)
	require.Equal(s.t, "text/event-stream", resp.Header.Get("Content-Type"))
	return &eventStream{t: s.t, lines: bufio.NewScanner(resp.Body)}
}

// next returns the next event, false at the end of the stream. Its id is its number.
func (f *eventStream) next() (store.Event, bool) {
	f.t.Helper()
	id := ""
	for f.lines.Scan() {
		line := f.lines.Text()
		if number, ok := strings.CutPrefix(line, "id: "); ok {
			id = number
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			e := decode[store.Event](f.t, data)
			require.Equal(f.t, id, strconv.FormatUint(e.Number, 10))
			f.seen = append(f.seen, e)
			return e, true
		}
	}
	require.NoError(f.t, f.lines.Err())
	return store.Event{}, false
}

// until reads until an event that brief describes so.
func (f *eventStream) until(want string) store.Event {
	f.t.Helper()
	for {
		e, ok := f.next()
		require.True(f.t, ok, "the stream ended without %q after %q", want, briefs(f.seen))
		if brief(e) == want {
			return e
		}
	}
}

func TestEventsTellALife(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {`+fake(freePort(t), "")+`}`, external(partner(t))))
	f := s.listen("models/m/events?follow=true", "")
	f.until("starting>ready")
	require.NoError(t, syscall.Kill(s.model("m").Instances[0].PID, syscall.SIGKILL))
	down := f.until("ready>backoff Exited")
	require.Equal(t, &store.Exit{Code: 137, Signal: "killed"}, down.Exit)
	require.Contains(t, down.Message, "starting again in ")
	again := f.until("starting>ready")
	require.Equal(t, s.model("m").Instances[0].PID, again.PID)
	s.do(http.MethodPost, "/api/llm/models/m/restart?force=true", "")
	f.until("> RolloutDone")
	s.do(http.MethodPost, "/api/llm/models/m/stop", "")
	require.Empty(t, f.until("stopping>stopped  api").Key)
	s.do(http.MethodPost, "/api/llm/models/m/start", "")
	f.until("starting>ready  api")

	require.Equal(t, []string{
		">starting", "starting>ready", "ready>backoff Exited", "backoff>starting Exited", "starting>ready",
		"ready>draining Restarting api", "draining>stopping Restarting api", "stopping>starting Requested api", "starting>ready  api", "> RolloutDone",
		"ready>draining Requested api", "draining>stopping Requested api", "stopping>stopped  api", "stopped>starting Requested api", "starting>ready  api",
	}, briefs(f.seen))
	attempts := []int{1, 1, 1, 2, 2, 2, 2, 3, 3, 0, 3, 3, 3, 4, 4}
	for i, e := range f.seen {
		instance := "m-0"
		if attempts[i] == 0 {
			instance = "" // a rollout is of the model
		}
		require.Equal(t, "m", e.Model)
		require.Equal(t, instance, e.Instance)
		require.Equal(t, attempts[i], e.Attempt, brief(e))
	}
	require.Equal(t, f.seen, s.happened("models/m/events"))

	all := s.happened("events")
	require.Equal(t, "SupervisorStarted", all[0].Reason)
	require.Greater(t, len(all), len(f.seen)+1, "the other model has events too")
}

func TestEventsThatAreAskedFor(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {`+fake(freePort(t), "")+`}`, external(partner(t))))
	f := s.listen("models/m/events?follow=1", "")
	second := f.until("starting>ready")
	first := f.seen[0]
	other, _ := s.listen("models/org/partner/events?follow=1", "").next() // it may come later than those of m
	require.Equal(t, fleet.Ready, other.Phase)
	count := func(query string, want int) {
		t.Helper()
		require.Len(t, s.happened("models/m/events"+query), want, query)
	}
	count("", 2)
	count("?since=0", 2)
	count(fmt.Sprint("?since=", first.Number), 1)
	count(fmt.Sprint("?since=", second.Number), 0)
	count("?since=1h", 2)
	count("?since=0s", 0)
	count("?since="+second.At.Add(time.Hour).Format(time.RFC3339), 0)
	count("?since="+first.At.Add(-time.Hour).Format(time.RFC3339Nano), 2)
	count("?limit=1", 1)
	count("?limit=10000&follow=false", 2)
	require.Equal(t, second.Number, s.happened("models/m/events?limit=1")[0].Number)
	require.Len(t, s.happened("models/org/partner/events"), 1)

	refused := func(query, param, code string) {
		t.Helper()
		for _, path := range []string{"events", "models/m/events"} {
			status, body := s.do(http.MethodGet, "/api/llm/"+path+query, "")
			require.Equal(t, http.StatusBadRequest, status, query)
			require.Contains(t, body, `"code":"`+code+`"`)
			require.Contains(t, body, `"param":"`+param+`"`)
		}
	}
	for _, since := range []string{"yesterday", "-1", "1.5", "-5m", "18446744073709551615", "2026-13-01T00:00:00Z"} {
		refused("?since="+since, "since", "invalid_since")
	}
	for _, limit := range []string{"0", "-1", "10001", "x"} {
		refused("?limit="+limit, "limit", "invalid_limit")
	}
	refused("?follow=maybe", "follow", "invalid_flag")
	for _, path := range []string{"events?follow=true", "models/m/events?follow=true"} {
		status, body := s.do(http.MethodHead, "/api/llm/"+path, "")
		require.Equal(t, http.StatusOK, status)
		require.Empty(t, body)
	}
	status, body := s.do(http.MethodGet, "/api/llm/models/nobody/events", "")
	require.Equal(t, http.StatusNotFound, status, body)
}

// TestEventsTellWhoseKeyItWas: a gateway says so.
func TestEventsTellWhoseKeyItWas(t *testing.T) {
	s := run(t, quick(), parse(t, external(partner(t))))
	phase(t, s.watch(), "org/partner", fleet.Ready)
	req, err := http.NewRequest(http.MethodPost, s.url+"/api/llm/models/org/partner/stop", nil)
	require.NoError(t, err)
	req.Header.Set(fleet.KeyHeader, "ops:anna")
	resp, err := s.client.Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	stopped := s.listen("events?follow=true", "").until("stopping>stopped  api")
	require.Equal(t, "ops:anna", stopped.Key)
}

// TestFollowerComesBack sends the header that browsers send: it misses nothing and sees nothing twice, to the very last event.
func TestFollowerComesBack(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {`+fake(freePort(t), "")+`}`))
	first := s.listen("events?follow=true", "")
	first.until("starting>ready")
	s.do(http.MethodPost, "/api/llm/models/m/restart?force=true", "")
	s.restarted(s.watch(), "m", 1)
	second := s.listen("events?follow=true&since=0", strconv.FormatUint(first.seen[1].Number, 10))
	second.until("> RolloutDone")
	require.Equal(t, s.happened("events?limit=1")[0].Number, second.seen[len(second.seen)-1].Number)
	require.Equal(t, first.seen[2], second.seen[0], "the header wins")

	third := s.listen("events?follow=true", strconv.FormatUint(first.seen[1].Number, 10))
	s.end()
	for more := true; more; {
		_, more = third.next()
	}
	last := third.seen[len(third.seen)-1]
	require.Equal(t, "SupervisorEnded", last.Reason)
	require.Equal(t, "stopping>stopped SupervisorEnding supervisor", brief(third.seen[len(third.seen)-2]))
	require.Equal(t, first.seen[2].Number, third.seen[0].Number)
}

// TestWhatSurvivesARestart has a second supervisor take up the folder of the first.
func TestWhatSurvivesARestart(t *testing.T) {
	cfg := quick()
	cfg.StateDir = t.TempDir()
	models := parse(t, `"halted": {`+fake(freePort(t), "")+`}`, `"m": {`+fake(freePort(t), "")+`}`, external(partner(t)))
	s := run(t, cfg, models)
	feed := s.watch()
	until(t, feed, "three models", func(s fleet.Snapshot) bool {
		return !slices.ContainsFunc(s.Models, func(m fleet.Model) bool { return m.Phase != fleet.Ready })
	})
	s.do(http.MethodPost, "/api/llm/models/m/restart?force=true", "")
	s.restarted(feed, "m", 1)
	for _, id := range []string{"halted", "org/partner"} {
		s.do(http.MethodPost, "/api/llm/models/"+id+"/stop", "")
		phase(t, feed, id, fleet.Stopped)
	}
	s.end()

	s = run(t, cfg, models)
	feed = s.watch()
	first := until(t, feed, "m again", func(s fleet.Snapshot) bool { return find(s, "m").Phase == fleet.Ready })
	for _, id := range []string{"halted", "org/partner"} {
		require.Equal(t, fleet.Stopped, find(first, id).Phase, id)
		status := s.model(id)
		require.EqualValues(t, "stopped", status.Desired)
		require.Contains(t, status.Message, "it was stopped before this supervisor began")
	}
	require.Equal(t, 1, s.model("m").Restarts, "that of the supervisor is none of the model")
	all := s.happened("events")
	numbers := make([]uint64, len(all))
	var begins []string
	for i, e := range all {
		numbers[i] = e.Number
		if e.Reason == "SupervisorStarted" {
			_, how, _ := strings.Cut(e.Message, "; ")
			begins = append(begins, how)
		}
	}
	require.IsIncreasing(t, numbers)
	require.Equal(t, []string{"", "the one before had ended as it was asked to"}, begins)
	require.Contains(t, briefs(all), ">starting SupervisorRestarted")
	require.Contains(t, briefs(all), ">stopped", "the first event of what was stopped before")

	for _, id := range []string{"halted", "org/partner"} {
		s.do(http.MethodPost, "/api/llm/models/"+id+"/start", "")
		phase(t, feed, id, fleet.Ready)
	}
	require.Equal(t, 1, s.model("halted").Restarts)
	require.Zero(t, s.model("org/partner").Restarts)
	s.end()

	s = run(t, cfg, models) // and what was started stays so
	phase(t, s.watch(), "halted", fleet.Ready)
}

// TestWhereToGoOn: a client that comes back goes on at its header, and what is wrong beside that is wrong all the same.
func TestWhereToGoOn(t *testing.T) {
	s := run(t, quick(), parse(t, `"m": {`+fake(freePort(t), "")+`}`))
	phase(t, s.watch(), "m", fleet.Ready)
	f := func(last, since string, status int, param string) {
		t.Helper()
		for _, path := range []string{"events", "models/m/events", "models/m/logs"} {
			req, err := http.NewRequest(http.MethodGet, s.url+"/api/llm/"+path+"?since="+since, nil)
			require.NoError(t, err)
			req.Header.Set("Last-Event-ID", last)
			resp, err := s.client.Do(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, status, resp.StatusCode, "%s: %s", path, body)
			require.Contains(t, string(body), param)
		}
	}
	f("1", "2", http.StatusOK, "")
	f("", "", http.StatusOK, "")
	f("1", "-1", http.StatusBadRequest, `"param":"since"`)
	f("one", "1", http.StatusBadRequest, `"param":"Last-Event-ID"`)
	f("-1", "1", http.StatusBadRequest, `"param":"Last-Event-ID"`)
	f("15m ", "1", http.StatusBadRequest, `"param":"Last-Event-ID"`)
}

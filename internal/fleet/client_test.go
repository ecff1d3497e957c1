package fleet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// transport plays a supervisor without a network, so that tests can run on fake time.
type transport func(r *http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer makes a response. A body that is written to later ends with the request's context, as a connection does.
func answer(r *http.Request, status int, body io.ReadCloser) *http.Response {
	return &http.Response{StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)),
		Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: body, Request: r}
}

// feed answers with a stream that write fills. When write returns the stream stays open and silent.
func feed(r *http.Request, write func(w io.Writer)) *http.Response {
	in, out := io.Pipe()
	context.AfterFunc(r.Context(), func() { out.CloseWithError(context.Cause(r.Context())) })
	go write(out)
	return answer(r, http.StatusOK, in)
}

func snapshot(revision uint64) string {
	data, err := json.Marshal(fleet.Snapshot{Epoch: "e", Revision: revision})
	if err != nil {
		panic(err)
	}
	return "data: " + string(data) + "\n\n"
}

// watch runs Watch for d of fake time and tells which revisions came and how the feed was lost.
func watch(t *testing.T, d time.Duration, play transport) (revisions []uint64, lost []string) {
	t.Helper()
	client := fleet.Client{URL: "http://supervisor", HTTP: &http.Client{Transport: play}}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	err := client.Watch(ctx, func(s fleet.Snapshot) { revisions = append(revisions, s.Revision) },
		func(err error) { lost = append(lost, err.Error()) })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Watch ended with %v", err)
	}
	synctest.Wait()
	return revisions, lost
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		revisions, lost := watch(t, time.Minute, func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodGet || r.URL.String() != "http://supervisor/v1/fleet?watch=1" {
				t.Errorf("asked %s %s", r.Method, r.URL)
			}
			return feed(r, func(w io.Writer) {
				for i := range uint64(3) {
					_, _ = io.WriteString(w, snapshot(i))
				}
				for { // a quiet fleet: comments keep the feed alive
					select {
					case <-r.Context().Done():
						return
					case <-time.After(fleet.KeepAlive):
						_, _ = io.WriteString(w, ": keep-alive\n\n")
					}
				}
			}), nil
		})
		if diff := cmp.Diff([]uint64{0, 1, 2}, revisions); diff != "" || len(lost) != 0 {
			t.Errorf("lost %v, revisions (-want +got):\n%s", lost, diff)
		}
	})
}

func TestWatchSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		revisions, lost := watch(t, 40*time.Second, func(r *http.Request) (*http.Response, error) {
			return feed(r, func(w io.Writer) { _, _ = io.WriteString(w, snapshot(7)) }), nil
		})
		// Silent for 15 s, twice in 40 s; the third connection was still young.
		if diff := cmp.Diff([]uint64{7, 7, 7}, revisions); diff != "" {
			t.Errorf("revisions (-want +got):\n%s", diff)
		}
		want := "watch the fleet: fleet feed silent for 15s"
		if diff := cmp.Diff([]string{want, want}, lost); diff != "" {
			t.Errorf("lost (-want +got):\n%s", diff)
		}
	})
}

// TestWatchReconnects: the waits grow while nothing comes and start anew after a snapshot.
func TestWatchReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		_, lost := watch(t, 10*time.Second, func(r *http.Request) (*http.Response, error) {
			at = append(at, time.Since(start))
			if len(at) == 7 {
				return answer(r, http.StatusOK, io.NopCloser(strings.NewReader(snapshot(1)))), nil
			}
			return nil, errors.New("refused")
		})
		ms := time.Millisecond
		want := []time.Duration{0, 100 * ms, 300 * ms, 700 * ms, 1500 * ms, 3100 * ms, 5100 * ms, 5200 * ms, 5400 * ms, 5800 * ms, 6600 * ms, 8200 * ms}
		if diff := cmp.Diff(want, at[:min(len(at), len(want))]); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
		if len(lost) < 11 || !strings.Contains(lost[0], "refused") || lost[6] != "watch the fleet: EOF" {
			t.Errorf("lost %q", lost)
		}
	})
}

func TestWatchRefused(t *testing.T) {
	f := func(name, want string, status int, body string) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				revisions, lost := watch(t, 50*time.Millisecond, func(r *http.Request) (*http.Response, error) {
					return answer(r, status, io.NopCloser(strings.NewReader(body))), nil
				})
				if len(revisions) != 0 || len(lost) != 1 || !strings.Contains(lost[0], want) {
					t.Errorf("revisions %v, lost %q; want %q", revisions, lost, want)
				}
			})
		})
	}
	f("token", "watch the fleet: supervisor answered 401 Unauthorized: who are you", 401, "who are you")
	f("bad snapshot", "decode fleet snapshot: ", 200, "data: {\"epoch\":\n\n")
	f("torn snapshot", "unexpected EOF", 200, strings.TrimSpace(snapshot(1)))
}

func TestTell(t *testing.T) {
	var got []string
	client := fleet.Client{URL: "http://supervisor", Token: "secret", HTTP: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		got = append(got, fmt.Sprintln(r.Method, r.URL.EscapedPath(), r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(body)))
		return answer(r, http.StatusNoContent, http.NoBody), err
	})}}
	hb := fleet.Heartbeat{Epoch: "e", Revision: 3, Inflight: map[string]int{"m-0": 2}}
	if err := errors.Join(client.Heartbeat(t.Context(), "a/b", hb), client.Leave(t.Context(), "g")); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`POST /v1/gateways/a%2Fb/heartbeat Bearer secret application/json {"epoch":"e","revision":3,"inflight":{"m-0":2}}` + "\n",
		"DELETE /v1/gateways/g Bearer secret  \n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestTellFails(t *testing.T) {
	f := func(want string, play transport) {
		t.Helper()
		client := fleet.Client{URL: "http://supervisor", HTTP: &http.Client{Transport: play}}
		if err := client.Heartbeat(t.Context(), "g", fleet.Heartbeat{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	f("send heartbeat: supervisor answered 404 Not Found: no such gateway", func(r *http.Request) (*http.Response, error) {
		return answer(r, 404, io.NopCloser(strings.NewReader("no such gateway"))), nil
	})
	f("refused", func(*http.Request) (*http.Response, error) { return nil, errors.New("refused") })
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// streams is a gateway that answers for the model m, with a number of servers, each time it is followed with the next of these texts.
// The last one stays open until the client leaves.
func streams(t *testing.T, servers int, texts ...string) (url string, asked *[]string) {
	t.Helper()
	asked = new([]string)
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/llm/models/m" {
			fmt.Fprintf(w, `{"id":"m","instances":[%s{}]}`, strings.Repeat("{},", servers-1))
			return
		}
		n := len(*asked)
		*asked = append(*asked, r.URL.RawQuery+" "+r.Header.Get("Last-Event-ID"))
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, texts[n])
		_ = http.NewResponseController(w).Flush()
		if n == len(texts)-1 {
			<-r.Context().Done()
		}
	}))
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		gateway.Close()
	})
	return gateway.URL, asked
}

// until is an output that presses Ctrl-C once it has seen a text.
type until struct {
	all  bytes.Buffer
	text string
	stop context.CancelFunc
}

func (u *until) Write(p []byte) (int, error) {
	n, err := u.all.Write(p)
	if strings.Contains(u.all.String(), u.text) {
		u.stop()
	}
	return n, err
}

const two = `id: 7
data: {"offset":7,"instance":"m-0","time":"2026-11-01T10:00:00Z","line":"one <b>"}

event: partial
data: {"offset":0,"instance":"m-0","time":"2026-11-01T10:00:00Z","line":"bar 1%"}

event: lost
data: {"lost":true}

id: 9
data: {"offset":9,"instance":"m-1","time":"2026-11-01T10:00:00Z","line":"two"}

`

func TestLogsAreFollowedOverBreaks(t *testing.T) {
	f := func(servers int, args []string, want string, wantAsked ...string) {
		t.Helper()
		url, asked := streams(t, servers, two, strings.ReplaceAll(two, "two", "end"))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		out, notes := &until{text: "end", stop: cancel}, &bytes.Buffer{}
		code := execute(ctx, append([]string{"logs", "-f", "m", "--url", url}, args...), out, notes)
		if diff := cmp.Diff(want, out.all.String()); diff != "" || code != 0 {
			t.Errorf("%v: exit %d\n%s", args, code, diff)
		}
		if diff := cmp.Diff(wantAsked, *asked); diff != "" {
			t.Errorf("%v asked\n%s", args, diff)
		}
		if text := notes.String(); strings.Count(text, "broke off") != 1 || !strings.Contains(text, "some lines came faster") {
			t.Errorf("%v: notes %q", args, text)
		}
	}
	f(1, nil, "one <b>\ntwo\none <b>\nend\n", "follow=true&lines=100 ", "follow=true&lines=100 9")
	f(2, []string{"--since", "5"}, "m-0 | one <b>\nm-1 | two\nm-0 | one <b>\nm-1 | end\n", "follow=true&lines=100&since=5 ", "follow=true&lines=100&since=5 9")
	f(2, []string{"--instance", "m-1", "--lines", "3"}, "one <b>\ntwo\none <b>\nend\n", "follow=true&instance=m-1&lines=3 ", "follow=true&instance=m-1&lines=3 9")
	line := `{"offset":%d,"instance":"m-%d","time":"2026-11-01T10:00:00Z","line":"%s"}` + "\n"
	f(1, []string{"--json"}, fmt.Sprintf(line+line+line+line, 7, 0, "one <b>", 9, 1, "two", 7, 0, "one <b>", 9, 1, "end"),
		"follow=true&lines=100 ", "follow=true&lines=100 9")
}

func TestLogsThatCannotBeFollowed(t *testing.T) {
	gateway := httptest.NewServer(http.NotFoundHandler())
	defer gateway.Close()
	if code, out, failed := fluidmcp(t, "logs", "-f", "m", "--url", gateway.URL); code != 1 || !strings.Contains(failed, "404") {
		t.Errorf("exit %d, %q %q", code, out, failed)
	}
	if code, _, failed := fluidmcp(t, "logs", "-f", "--crashes", "m"); code != 1 || !strings.Contains(failed, "crashes follow") {
		t.Errorf("exit %d, %q", code, failed)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestLogsAsJSONAndCrashes(t *testing.T) {
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.RequestURI() + " " + r.Header.Get("Accept") {
		case "/api/llm/models/m/logs?lines=2 application/json":
			fmt.Fprint(w, `{"lines":[{"offset":1,"line":"a"},{"offset":2,"line":"b"}]}`)
		case "/api/llm/models/m/crashes ":
			fmt.Fprint(w, `{"crashes":[{"instance":"m-0","at":"2026-11-01T10:00:02Z","code":2,"reason":"BadArguments","message":"no such flag","lines":["x","new"]},
				{"instance":"m-0","at":"2026-11-01T10:00:01Z","code":137,"signal":"killed","reason":"Exited","lines":["old"]}]}`)
		case "/api/llm/models/m/crashes?instance=m-1 ":
			fmt.Fprint(w, `{"crashes":[]}`)
		default:
			t.Errorf("asked for %s", r.URL.RequestURI())
		}
	}))
	defer gateway.Close()
	f := func(want string, args ...string) {
		t.Helper()
		code, out, failed := fluidmcp(t, append(args, "--url", gateway.URL)...)
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("%v: exit %d, %q %q", args, code, out, failed)
		}
	}
	f("{\"offset\":1,\"line\":\"a\"}\n{\"offset\":2,\"line\":\"b\"}\n", "logs", "m", "--json", "--lines", "2")
	f("Exited, signal killed: no reason known <==\nold\n\n==> m-0 failed at ", "logs", "m", "--crashes")
	f("BadArguments, exit code 2: no such flag <==\nnew\n\n", "logs", "m", "--crashes", "--lines", "1")
	f(`"code":137`, "logs", "m", "--crashes", "--json")
	f("No server of this model has failed.\n", "logs", "m", "--crashes", "--instance", "m-1")
	http.DefaultClient.CloseIdleConnections()
}

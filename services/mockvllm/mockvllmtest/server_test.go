package mockvllmtest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/mockvllmtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func send(t *testing.T, mock *mockvllmtest.Server, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, mock.URL+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := mock.Client().Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body) // an answer that breaks off is one too
	return resp.StatusCode, string(text)
}

const hello = `{"messages": [{"role": "user", "content": "Hello"}]}`

func TestOptions(t *testing.T) {
	mock := mockvllmtest.Start(t, mockvllmtest.Model("a", "b"), mockvllmtest.Answers("echo"), mockvllmtest.APIKey("secret"), mockvllmtest.VirtualClock(),
		mockvllmtest.Latency(time.Hour, time.Minute), mockvllmtest.Config(func(c *mockvllm.Config) { c.MaxNumSeqs = 1 }))
	if status, text := send(t, mock, hello); status != http.StatusUnauthorized {
		t.Errorf("without a key: %d %s", status, text)
	}
	answer := make(chan string, 1)
	go func() {
		_, text := send(t, mock, strings.Replace(hello, "{", `{"model": "b", "max_tokens": 2, `, 1), "Authorization", "Bearer secret")
		answer <- text
	}()
	mock.WaitInFlight(1)
	for {
		mock.Advance(time.Hour)
		select {
		case text := <-answer:
			if !strings.Contains(text, `"model":"a"`) {
				t.Error(text)
			}
			all := mock.WaitRequests(2)
			if all[0].Key != "" || all[1].Key != "2bb80d537b1d" { // SHA-256 of "secret"
				t.Errorf("keys %q and %q", all[0].Key, all[1].Key)
			}
			if kept := fmt.Sprint(all); strings.Contains(kept, "secret") {
				t.Errorf("the key is kept: %s", kept)
			}
			return
		default:
		}
	}
}

func TestRulesAndRecord(t *testing.T) {
	mock := mockvllmtest.Start(t)
	mock.SetFaults(`{"rules": [{"match": {"nth": [1, 3]}, "do": {"status": 503}}]}`)
	got := ""
	for range 4 {
		status, _ := send(t, mock, hello)
		got += fmt.Sprint(status, " ")
	}
	if got != "503 200 503 200 " {
		t.Error(got)
	}
	if all := mock.WaitRequests(4); len(all) != 4 || all[3].BodyBytes != len(hello) || all[3].Connection != 1 {
		t.Errorf("%+v", all)
	}
	stats := mock.Stats()
	if len(stats.Counts) != 2 || stats.Counts[0].Requests != 2 || stats.Counts[1].Requests != 2 || stats.Counts[1].Outcome != journal.Refused {
		t.Errorf("%+v", stats)
	}
	mock.Forget()
	if all := mock.Requests(); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

func TestADisconnectIsNoticed(t *testing.T) {
	mock := mockvllmtest.Start(t, mockvllmtest.Latency(0, time.Hour))
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, mock.URL+"/v1/chat/completions", strings.NewReader(strings.Replace(hello, "{", `{"stream": true, `, 1)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := mock.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	frames := bufio.NewScanner(resp.Body)
	for range 3 { // the role, a blank line, the token: nothing more is written to a client that leaves now
		if !frames.Scan() {
			t.Fatal(frames.Err())
		}
	}
	left := time.Now()
	leave()
	r := mock.WaitRequests(1)[0]
	if r.AbortedBy != journal.ByClient || r.NoticedMS == nil || r.FreedMS == nil || r.FinishedAt.Before(left) || *r.FreedMS < 0 ||
		time.Duration(*r.NoticedMS*float64(time.Millisecond)) < r.FinishedAt.Sub(left) {
		t.Errorf("left at %s: %+v", left, r)
	}
	if stats := mock.Stats(); stats.Aborted != (journal.ByWhom{Client: 1}) || stats.InFlight != 0 {
		t.Errorf("%+v", stats)
	}
}

// A server that refuses connections, hangs or has died ends with its test all the same.
func TestItAlwaysEnds(t *testing.T) {
	for _, rules := range []string{`{"do": {"shutdown": "hang"}}`, `{"match": {"window": {"for": "1h"}}, "do": {"refuse": true}}`, `{"do": {"crash": 0}}`,
		`{"do": {"stall": 0}}`} {
		mock := mockvllmtest.New(mockvllmtest.Latency(time.Hour, 0))
		ended := make(chan struct{})
		go func() {
			send(t, mock, strings.Replace(hello, "{", `{"stream": true, `, 1))
			close(ended)
		}()
		mock.WaitInFlight(1)
		mock.SetFaults(`{"rules": [` + rules + `]}`)
		mock.Close()
		mock.Close()
		<-ended
	}
}

func TestMistakes(t *testing.T) {
	f := func(want string, do func()) {
		t.Helper()
		defer func() {
			if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
				t.Errorf("%s, want %s", got, want)
			}
		}()
		do()
	}
	f(`rules[0].do.dealy: unknown field; did you mean "delay"?`, func() { mockvllmtest.New(mockvllmtest.Faults(`{"rules": [{"do": {"dealy": "1s"}}]}`)) })
	f(`"magic" is not known`, func() { mockvllmtest.New(mockvllmtest.Answers("magic")) })
	f("-1", func() { mockvllmtest.New(mockvllmtest.Latency(-1, 0)) })
	mock := mockvllmtest.New()
	defer mock.Close()
	f("the option VirtualClock", func() { mock.Advance(time.Hour) })
	f("frobnicate", func() { mock.SetFaults(`{"frobnicate": 1}`) })
}

// TestAMistakeHasItsLine: that of the test, and not one in here.
func TestAMistakeHasItsLine(t *testing.T) {
	const makes = "MOCKVLLMTEST_MISTAKE"
	mistakes := map[string]func(*mockvllmtest.Server){
		"advance": func(mock *mockvllmtest.Server) { mock.Advance(time.Hour) },
		"faults":  func(mock *mockvllmtest.Server) { mock.SetFaults("{") },
	}
	if mistake := mistakes[os.Getenv(makes)]; mistake != nil {
		mistake(mockvllmtest.Start(t))
		return
	}
	for name := range mistakes {
		again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		again.Env = append(os.Environ(), makes+"="+name)
		if out, err := again.CombinedOutput(); err == nil || !strings.Contains(string(out), "    server_test.go:") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

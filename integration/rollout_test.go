package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
)

const (
	rolled  = "rolled" // the model of three servers, which a rollout takes one after the other
	lone    = "lone"   // has one server, and room for another one meanwhile
	cramped = "cramped"
	crowd   = 100 // clients at a time
	prompt  = "a b c d e f g h i j k l m n o p"
)

// startRolling runs fluidmcp with the models above. Their answers take a second or two, their servers half a second to load.
func startRolling(t *testing.T) *stack {
	ports := freePorts(t, 2)
	s := &stack{
		gateway:    fmt.Sprintf("http://127.0.0.1:%d", ports[0]),
		supervisor: fmt.Sprintf("http://127.0.0.1:%d", ports[1]),
		processes:  true,
	}
	first := freePorts(t, 12)[0]
	model := func(port int, more map[string]any) map[string]any {
		m := map[string]any{"command": "mockvllm", "args": []any{"serve", "mock-model", "--port", port, "--mock-itl", "100ms", "--mock-load-time", "500ms"},
			"timeouts": map[string]any{"connect": 30}} // one that has no time to accept connections is not a dead one
		for name, value := range more {
			m[name] = value
		}
		return m
	}
	file := modelsFile(t, map[string]any{
		rolled:  model(first, map[string]any{"replicas": 3}),
		lone:    model(first+4, nil),
		cramped: model(first+8, map[string]any{"rollout": map[string]any{"surge": false}}),
	})
	c := launch(t, "run", file, "--start-server", "--port", fmt.Sprint(ports[0]), "--supervisor-port", fmt.Sprint(ports[1]))
	c.endsWell(t, syscall.SIGINT)
	for _, m := range []string{rolled, lone, cramped} {
		eventually(t, func() error { return s.ask(t, m) })
	}
	eventually(t, func() error { return s.allServersReady(t, rolled) })
	return s
}

func (s *stack) allServersReady(t *testing.T, model string) error {
	t.Helper()
	for _, i := range s.status(t, model).Instances {
		if i.Phase != "ready" {
			return fmt.Errorf("a server of %s is %s", model, i.Phase)
		}
	}
	return nil
}

// users ask a model one question after the other, all at the same time.
type users struct {
	url    string
	stream bool
	want   string // the whole answer

	begun   sync.WaitGroup // until each has had a piece of its first answer, or sent its first question
	leave   atomic.Bool
	ended   sync.WaitGroup
	answers atomic.Int64
	faults  chan string
}

// arrive lets n users ask, and returns once all of them are being answered.
func arrive(t *testing.T, s *stack, model string, n int, stream bool) *users {
	t.Helper()
	u := &users{url: s.gateway + "/llm/" + model + "/chat/completions", stream: stream, faults: make(chan string, n)}
	var err error
	if u.want, err = u.ask(func() {}); err != nil || u.want == "" {
		t.Fatalf("the first answer is %q, %v", u.want, err)
	}
	u.begun.Add(n)
	for range n {
		u.ended.Go(func() { u.stay() })
	}
	u.begun.Wait()
	return u
}

// stay asks until it is time to leave, or an answer is not right.
func (u *users) stay() {
	begun := sync.OnceFunc(u.begun.Done)
	defer begun() // also where the first answer never came
	for !u.leave.Load() {
		got, err := u.ask(begun)
		u.answers.Add(1)
		if err == nil && got != u.want {
			err = fmt.Errorf("the answer is %q", got)
		}
		if err != nil {
			u.faults <- err.Error()
			return
		}
	}
}

// goHome lets the users have their last answers, and returns how many there were.
func (u *users) goHome(t *testing.T) int64 {
	t.Helper()
	u.leave.Store(true)
	u.ended.Wait()
	close(u.faults)
	failed := 0
	for fault := range u.faults {
		if failed++; failed <= 5 {
			t.Error(fault)
		}
	}
	if failed > 0 {
		t.Errorf("%d of %d answers were not right", failed, u.answers.Load())
	}
	return u.answers.Load()
}

// ask asks once, calls begun when the answer is on its way, and returns its text. An answer that ends early is an error.
func (u *users) ask(begun func()) (string, error) {
	body, err := json.Marshal(map[string]any{"messages": user(prompt), "stream": u.stream})
	if err != nil {
		return "", err
	}
	if !u.stream {
		begun()
	}
	resp, err := client.Post(u.url, "application/json", strings.NewReader(string(body)))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || !u.stream {
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			return "", fmt.Errorf("%s: %s, %v", resp.Status, text, err)
		}
		var c completion
		if err := json.Unmarshal(text, &c); err != nil || len(c.Choices) != 1 {
			return "", fmt.Errorf("%v in %s", err, text)
		}
		return c.Choices[0].Message.Content, nil
	}
	var text strings.Builder
	last := ""
	err = events(resp.Body, func(e event) {
		begun()
		last = e.data
		var c completion
		if json.Unmarshal([]byte(e.data), &c) == nil && len(c.Choices) > 0 {
			text.WriteString(c.Choices[0].Delta.Content)
		}
	})
	if err == nil && last != "[DONE]" {
		err = fmt.Errorf("the stream ends with %s", last)
	}
	return text.String(), err
}

// restarted runs `fluidmcp restart` and checks what it prints last.
func (s *stack) restarted(t *testing.T, model, want string, flags ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), fluidmcp(t), append([]string{"restart", model, "--url", s.gateway}, flags...)...)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), want+"\n") {
		t.Errorf("%s: %v\n%s", strings.Join(cmd.Args[1:], " "), err, out)
	}
}

// TestRollingRestart restarts models under load. Nobody who uses them may see anything of it.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	s := startRolling(t)
	for _, c := range []struct {
		name, model string
		stream      bool
		servers     int
	}{
		{"streams of three servers", rolled, true, 3},
		{"whole answers of three servers", rolled, false, 3},
		{"streams of one server with room for another", lone, true, 1},
		{"whole answers of one server with room for another", lone, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, counted := s.status(t, c.model), s.scrape(t, s.gateway)
			u := arrive(t, s, c.model, crowd, c.stream)
			s.restarted(t, c.model, fmt.Sprintf("%s: %d of %[2]d restarted", c.model, c.servers))
			answers := u.goHome(t)
			after := s.status(t, c.model)
			for i, server := range after.Instances {
				if server.PID == before.Instances[i].PID || server.Restarts != before.Instances[i].Restarts+1 {
					t.Errorf("server %d was not restarted once: %+v, before %+v", i, server, before.Instances[i])
				}
			}
			if len(after.Instances) != c.servers {
				t.Errorf("it has %d servers now", len(after.Instances))
			}
			s.scrape(t, s.gateway).grew(t, counted, 0, "fluidmcp_errors_total", "model", c.model)
			t.Logf("%d answers, all whole, while %d servers were restarted", answers, c.servers)
		})
	}
	t.Run("forced restart of the only server", func(t *testing.T) { forcedRestart(t, s) })
	t.Run("forced restart in the console", func(t *testing.T) { forcedInBrowser(t, s) })
}

// forcedRestart: without room for another server the restart is refused. Forced, it lets run what runs; what comes meanwhile is
// refused and can be sent again.
func forcedRestart(t *testing.T, s *stack) {
	s.command(t, cramped, "restart").wantFailure(t, http.StatusConflict, "would_interrupt")
	out, err := exec.CommandContext(t.Context(), fluidmcp(t), "restart", cramped, "--url", s.gateway).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--force") {
		t.Errorf("fluidmcp restart: %v\n%s", err, out)
	}
	u := arrive(t, s, cramped, crowd, true)
	u.leave.Store(true)                                                        // after the answers that they are having
	held, err := open(t, http.MethodPost, u.url, exactly("Hello", 1000, true)) // so that it is still drained when somebody asks
	if err != nil {
		t.Fatal(err)
	}
	defer held.Body.Close()
	restarted := make(chan struct{})
	go func() {
		defer close(restarted)
		s.restarted(t, cramped, cramped+": 1 of 1 restarted", "--force")
	}()
	eventually(t, func() error {
		a, err := send(t, http.MethodPost, u.url, hello)
		if err != nil || a.status == http.StatusOK {
			return fmt.Errorf("status %d, %v", a.status, err)
		}
		a.wantFailure(t, http.StatusServiceUnavailable, "model_loading")
		if a.header.Get("Retry-After") == "" {
			t.Error("it does not say when to send the request again")
		}
		return nil
	})
	held.Body.Close()
	<-restarted
	if answers := u.goHome(t); answers < crowd {
		t.Errorf("%d answers of %d", answers, crowd)
	}
	eventually(t, func() error { return s.ask(t, cramped) })
}

// forcedInBrowser: the console asks before it restarts a model that will not answer meanwhile.
func forcedInBrowser(t *testing.T, s *stack) {
	before := s.status(t, cramped).Restarts
	b := openBrowser(t, s)
	b.do("open the page", chromedp.Navigate(s.gateway+"/ui/"))
	b.sees("#models td:first-child", cramped)
	answer := func(yes bool) {
		t.Helper()
		script := fmt.Sprintf(`window.confirm = (text) => { document.title = text; return %t; }; true`, yes)
		if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](script)); err != nil {
			t.Fatal(err)
		}
		b.click(button(cramped, "restart"))
		b.sees("title", cramped+" will not answer until it has started anew")
	}
	answer(false)
	b.sees("#notice", "--force")
	answer(true)
	eventually(t, func() error {
		if m := s.status(t, cramped); m.Restarts != before+1 || m.Phase != "ready" {
			return fmt.Errorf("%+v", m)
		}
		return nil
	})
}

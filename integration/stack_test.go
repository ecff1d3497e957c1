package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The models that every stack serves. All but impatient, pair and the one with a slash are model servers of their own.
const (
	mockLLM   = "mock-llm"     // the model of the guides; its server calls itself mock-model
	mockGPT   = "mock-gpt"     // named by MODEL_NAME, answers a token every tokenGap
	mockLlama = "mock-llama"   // named by MODEL_NAME
	slashed   = "acme/mock-7b" // external, at mock-llm's server
	impatient = "impatient"    // external, at mock-llm's server, with a first-byte timeout of one second
	pair      = "pair"         // external, mock-llm's server by two addresses; mock-llm is the canary of all its traffic
	tokenGap  = 150 * time.Millisecond
)

// stack is a running FluidMCP. The addresses are base URLs without a slash at the end.
type stack struct {
	gateway    string
	supervisor string
	prometheus string            // "" where none runs
	project    string            // of compose; "" without it
	mocks      map[string]string // address of each model server by model
	processes  bool              // the supervisor starts and ends the model servers itself
	kill       func(t *testing.T, model string)
	revive     func(t *testing.T, model string) // for what nobody else starts again; nothing where the supervisor does
}

// client keeps no connection, so that a scenario never meets the remains of another.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Minute}

// do sends one request; body may be nil, a string, or something to send as JSON.
func do(t *testing.T, method, url string, body any) answer {
	t.Helper()
	a, err := send(t, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func send(t *testing.T, method, url string, body any) (answer, error) {
	t.Helper()
	resp, err := open(t, method, url, body)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	return read(resp)
}

func read(resp *http.Response) (answer, error) {
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, b}, err
}

// open sends one request and leaves the body of the answer to the caller.
func open(t *testing.T, method, url string, body any) (*http.Response, error) {
	t.Helper()
	var payload []byte
	switch b := body.(type) {
	case nil:
	case string:
		payload = []byte(b)
	default:
		var err error
		if payload, err = json.Marshal(b); err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return clientOf(t).Do(req)
}

// clientOf is a client that holds what it gets against the API reference.
func clientOf(t *testing.T) *http.Client {
	return &http.Client{Transport: conforming{t, client.Transport}, Timeout: client.Timeout}
}

// event is one event of a stream with the time it came.
type event struct {
	data string
	at   time.Time
}

// events reads server-sent events until the stream ends; err is nil for a clean end.
func events(body io.Reader, each func(event)) error {
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			each(event{data, time.Now()})
		}
	}
	return lines.Err()
}

// stream sends a request and returns all events of its answer.
func stream(t *testing.T, url string, body any) (*http.Response, []event) {
	t.Helper()
	resp, err := open(t, http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var all []event
	if err := events(resp.Body, func(e event) { all = append(all, e) }); err != nil {
		t.Fatalf("stream broke: %v after %v", err, all)
	}
	return resp, all
}

// eventually polls until check returns nil, and fails the test with its last error when that takes too long.
func eventually(t testing.TB, check func() error) {
	t.Helper()
	eventuallyWithin(t, 2*time.Minute, check)
}

func eventuallyWithin(t testing.TB, patience time.Duration, check func() error) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("not within %s: %v", patience, err)
		case <-tick.C:
		}
	}
}

// stalls has the next streams of a model stand still after ten tokens, until the gateway takes that for an end or somebody kills the
// server, which forgets it.
func (s *stack) stalls(t *testing.T, model string) {
	t.Helper()
	s.faults(t, model, `{"rules":[{"do":{"stall":10}}]}`)
}

// ask sends the guide's kind of request to a model and returns the status.
func (s *stack) ask(t *testing.T, model string) error {
	t.Helper()
	a, err := send(t, http.MethodPost, s.gateway+"/llm/"+model+"/chat/completions", map[string]any{"messages": user("ping")})
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return fmt.Errorf("%s answers %d: %s", model, a.status, a.body)
	}
	return nil
}

// faults sets the rules by which a model's server misbehaves, for the rest of the scenario.
func (s *stack) faults(t *testing.T, model string, rules string) {
	t.Helper()
	url := s.mocks[model] + "/mock/faults"
	do(t, http.MethodPut, url, rules).want(t, http.StatusOK)
	t.Cleanup(func() {
		req, err := http.NewRequest(http.MethodDelete, url, nil) // the test's own context is over by now
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := client.Do(req); err == nil { // a killed server has forgotten its faults
			resp.Body.Close()
		}
	})
}

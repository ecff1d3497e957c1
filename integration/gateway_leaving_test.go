package integration

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/mockvllmtest"
)

// endless asks for more tokens than any test waits for.
func endless(stream bool) string {
	return fmt.Sprintf(`{"messages":[{"role":"user","content":"Hello"}],"max_tokens":20000,"ignore_eos":true,"stream":%t}`, stream)
}

// oneWord asks for a single token.
const oneWord = `{"messages":[{"role":"user","content":"Hello"}],"max_tokens":1,"ignore_eos":true}`

// untilTokens reads events of a stream until so many had text, and returns the reader behind them.
func untilTokens(t *testing.T, body io.Reader, tokens int) *bufio.Reader {
	t.Helper()
	in := bufio.NewReader(body)
	for tokens > 0 {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("%d tokens before the wanted one the stream ended: %v", tokens, err)
		}
		if strings.Contains(line, `"content":"`) && !strings.Contains(line, `"content":""`) {
			tokens--
		}
	}
	return in
}

// singleSlot is a server that runs one request at a time, on a clock that stands still unless the test moves it.
func singleSlot(t *testing.T) *mockvllmtest.Server {
	t.Helper()
	return mockvllmtest.Start(t, mockvllmtest.VirtualClock(), mockvllmtest.Latency(time.Second, time.Second), mockvllmtest.Answers("random"),
		mockvllmtest.Config(func(c *mockvllm.Config) { c.MaxNumSeqs = 1 }))
}

// awaitRunning waits until the server's engine works on so many requests: only then its clock counts for them.
func awaitRunning(t *testing.T, mock *mockvllmtest.Server, n float64) {
	t.Helper()
	eventually(t, func() error {
		if got := mockMetrics(t, mock).sum("vllm:num_requests_running"); got != n {
			return fmt.Errorf("%v requests run at the server, want %v", got, n)
		}
		return nil
	})
}

func mockMetrics(t testing.TB, mock *mockvllmtest.Server) scrape {
	t.Helper()
	resp, err := mock.Client().Get(mock.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return parseMetrics(t, text)
}

// A client that leaves ends the work for it, in whatever way it speaks to the gateway. The server's clock stands still when it
// leaves, so nothing but the gateway's cancelling can end its request there.
func TestGatewayClientGoneCancelsTheWork(t *testing.T) {
	t.Parallel()
	mock, f := singleSlot(t), newFeed(t)
	f.publish(t, served("m", mock.URL))
	for _, d := range doors(t, f) {
		for _, stream := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, stream %t", d.protocol, stream), func(t *testing.T) {
				d.leavesAfter(t, mock, stream)
			})
		}
	}
}

const chatOfM = "/llm/m/chat/completions"

// leavesAfter lets a client leave after three tokens, and another one take its place.
func (d *door) leavesAfter(t *testing.T, mock *mockvllmtest.Server, stream bool) {
	const tokens = 3
	mock.Forget()
	before := d.metrics(t)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	answered := make(chan *http.Response, 1)
	go func() {
		resp, err := d.client.Do(d.request(t, http.MethodPost, chatOfM, strings.NewReader(endless(stream))).WithContext(ctx))
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		answered <- resp
	}()
	awaitRunning(t, mock, 1)
	for range tokens {
		mock.Advance(time.Second)
	}
	if stream {
		resp := <-answered
		defer resp.Body.Close()
		untilTokens(t, resp.Body, tokens)
	}
	left := time.Now()
	leave()
	if !stream {
		<-answered
	}

	r := mock.WaitRequests(1)[0]
	t.Logf("cancelled %s after the client left, the place was free %.3f ms later", r.FinishedAt.Sub(left).Round(time.Microsecond), *r.FreedMS)
	written := 0
	if stream {
		written = tokens
	}
	if r.Outcome != journal.Aborted || r.AbortedBy != journal.ByClient || r.Stream != stream || r.Tokens != written || r.FinishedAt.Before(left) {
		t.Errorf("the journal has %+v", r)
	}
	mock.WaitInFlight(0)

	// Its place is another's now: one token is there after one second.
	next := make(chan error, 1)
	go func() {
		a, err := d.try(t, http.MethodPost, chatOfM, oneWord)
		if err == nil && a.status != http.StatusOK {
			err = fmt.Errorf("%d %s", a.status, a.body)
		}
		next <- err
	}()
	awaitRunning(t, mock, 1)
	mock.Advance(time.Second)
	if err := <-next; err != nil {
		t.Error(err)
	}
	d.recorded499(t, before)
}

// recorded499 waits until one more request is recorded as left by its client, and none as anybody's fault.
func (d *door) recorded499(t *testing.T, before scrape) {
	t.Helper()
	d.awaitSum(t, before.sum("fluidmcp_requests_total", "code", "499")+1, "fluidmcp_requests_total", "code", "499")
	d.awaitSum(t, before.sum("fluidmcp_errors_total")+1, "fluidmcp_errors_total")
	d.awaitSum(t, before.sum("fluidmcp_errors_total", "reason", "client_closed")+1, "fluidmcp_errors_total", "reason", "client_closed")
	d.awaitSum(t, 0, "fluidmcp_inflight_requests")
}

// A client that leaves while it waits for its turn never reaches the model, and whoever is behind it moves up.
func TestGatewayClientGoneWhileQueued(t *testing.T) {
	t.Parallel()
	mock, f := singleSlot(t), newFeed(t)
	m := served("m", mock.URL)
	m.Limits.Inflight = 1
	f.publish(t, m)
	for _, d := range doors(t, f) {
		t.Run(d.protocol, func(t *testing.T) {
			mock.Forget()
			before := d.metrics(t)
			ask := func(ctx context.Context, id string) <-chan error {
				done := make(chan error, 1)
				go func() {
					req := d.request(t, http.MethodPost, chatOfM, strings.NewReader(oneWord), "X-Request-Id", id)
					resp, err := d.client.Do(req.WithContext(ctx))
					if err == nil {
						_, err = io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
					done <- err
				}()
				return done
			}
			queued := func(n float64) { t.Helper(); d.awaitSum(t, n, "fluidmcp_queued_requests", "model", "m") }
			first := ask(t.Context(), "first")
			awaitRunning(t, mock, 1)
			ctx, leave := context.WithCancel(t.Context())
			gone := ask(ctx, "gone")
			queued(1)
			last := ask(t.Context(), "last")
			queued(2)
			leave()
			queued(1)
			if err := <-gone; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			mock.Advance(time.Second)
			if err := <-first; err != nil {
				t.Error(err)
			}
			mock.WaitRequests(1)
			awaitRunning(t, mock, 1)
			mock.Advance(time.Second)
			if err := <-last; err != nil {
				t.Error(err)
			}
			for _, r := range mock.WaitRequests(2) {
				if r.RequestID == "gone" || r.Outcome != journal.Done {
					t.Errorf("the model was asked: %+v", r)
				}
			}
			d.recorded499(t, before)
		})
	}
}

// Half a body is no request, whether the other half is late or never comes.
func TestGatewayClientGoneWhileSending(t *testing.T) {
	t.Parallel()
	mock, f := mockvllmtest.Start(t), newFeed(t)
	f.publish(t, served("m", mock.URL))
	for _, d := range doors(t, f) {
		t.Run(d.protocol, func(t *testing.T) {
			before := d.metrics(t)
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			in, out := io.Pipe()
			done := make(chan error, 1)
			go func() {
				resp, err := d.client.Do(d.request(t, http.MethodPost, chatOfM, in).WithContext(ctx))
				if err == nil {
					resp.Body.Close()
				}
				done <- err
			}()
			if _, err := io.WriteString(out, `{"messages":[{"role":"user","content":"`+strings.Repeat("x", 100<<10)); err != nil {
				t.Fatal(err)
			}
			d.awaitSum(t, before.sum("fluidmcp_requests_total"), "fluidmcp_requests_total") // it is no request yet
			leave()
			out.CloseWithError(context.Canceled) // net/http waits for its reader
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			d.recorded499(t, before)
			if n := mock.Stats(); n.Requests != 0 || n.InFlight != 0 {
				t.Errorf("half a request reached the model: %+v", n)
			}
		})
	}
}

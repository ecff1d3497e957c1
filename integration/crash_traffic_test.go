package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"
)

// broken is a stream or an answer that ends without a word, because who would say it is dead.
const broken outcome = "broken"

// lost is a request that nobody has answered in the end, however often its client asked.
const lost outcome = "lost"

// crashTally counts what became of the requests to one model.
type crashTally struct {
	mu    sync.Mutex
	begun map[outcome]int // streams of which the client had something
	fresh map[outcome]int // all other requests: what their first attempt brought
	again map[outcome]int // and what it came to for a client that tries again
}

func newCrashTally() *crashTally {
	return &crashTally{begun: map[outcome]int{}, fresh: map[outcome]int{}, again: map[outcome]int{}}
}

func (c *crashTally) add(into map[outcome]int, o outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	into[o]++
}

// reply is the end of one attempt.
type reply struct {
	outcome
	begun bool          // a stream of which something came
	after time.Duration // what Retry-After says, or 0
}

// try sends one request for so many tokens. begun is called with the first event of a stream.
func (c *crashStack) try(t *testing.T, model string, tokens int, stream bool, begun func()) reply {
	resp, err := open(t, http.MethodPost, c.gateway+"/llm/"+model+"/chat/completions", exactly("Hello", tokens, stream))
	if err != nil {
		return reply{outcome: broken}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			return reply{outcome: broken}
		}
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		if resp.StatusCode < http.StatusInternalServerError {
			t.Errorf("%d %s", resp.StatusCode, text)
		}
		return reply{outcome: refused, after: time.Duration(seconds) * time.Second}
	}
	if stream {
		return streamed(t, resp.Body, begun)
	}
	text, err := io.ReadAll(resp.Body)
	var got completion
	if err == nil {
		err = json.Unmarshal(text, &got)
	}
	if err != nil {
		return reply{outcome: broken}
	}
	if got.Usage == nil || got.Usage.Completion != tokens {
		t.Errorf("not the whole answer: %s", text)
	}
	return reply{outcome: whole}
}

// streamed reads a stream to its end.
func streamed(t *testing.T, body io.Reader, begun func()) reply {
	begin := sync.OnceFunc(begun)
	r, last, failed := reply{}, "", false
	err := events(body, func(e event) {
		var told struct{ Error json.RawMessage }
		if last = e.data; json.Unmarshal([]byte(last), &told) == nil && told.Error != nil {
			failed = true
		} else {
			r.begun = true
		}
		begin()
	})
	switch {
	case failed:
		r.outcome = interrupted
	case last == "[DONE]" && err == nil:
		r.outcome = whole
	case err != nil:
		r.outcome = broken
	default:
		t.Errorf("a stream ends as if it were whole, with %q", last)
	}
	return r
}

// persist asks as OpenAI's SDKs do: what was not answered is sent again after what Retry-After says, else after half a second, a second
// and so on, up to tries times. A stream that has begun is not asked for again.
func (c *crashStack) persist(t *testing.T, into *crashTally, model string, tokens int, stream bool, begun func()) {
	r := c.try(t, model, tokens, stream, begun)
	if r.begun && r.outcome != whole {
		into.add(into.begun, r.outcome)
		return
	}
	into.add(into.fresh, r.outcome)
	for n := range tries {
		if r.outcome == whole || r.begun {
			break
		}
		pause := time.Second / 2 << n
		if r.after > 0 {
			pause = r.after
		}
		time.Sleep(pause)
		r = c.try(t, model, tokens, stream, begun)
	}
	if r.outcome != whole {
		r.outcome = lost
	}
	into.add(into.again, r.outcome)
}

const (
	tries    = 5
	long     = 1000                   // tokens, 50 a second, of what runs when a disaster comes, however late a busy machine brings it
	underway = 8                      // streams that have begun, and as many plain requests that run, when a disaster comes
	pace     = 100 * time.Millisecond // between two requests that come while it lasts
)

// under runs a disaster under traffic to both models, and returns what became of it and how long all was not well. back is
// asked until it is nil.
func (c *crashStack) under(t *testing.T, disaster func(), back func() error) (map[string]*crashTally, time.Duration) {
	t.Helper()
	tallies := map[string]*crashTally{twofold: newCrashTally(), onefold: newCrashTally()}
	var all, begun sync.WaitGroup
	begin := func(model string) {
		begun.Add(1)
		all.Go(func() {
			first := sync.OnceFunc(begun.Done)
			defer first()
			into := tallies[model]
			if r := c.try(t, model, long, true, first); r.begun {
				into.add(into.begun, r.outcome)
			} else {
				t.Errorf("a stream of %s that should have begun is %s", model, r.outcome)
			}
		})
	}
	for model := range tallies {
		for range underway {
			begin(model)
		}
	}
	begun.Wait()
	streams := 2. * underway
	eventually(t, func() error { // a server that came back later than the other one gets less than its share
		if c.runs(t, c.ports[0]) == 0 {
			streams++
			begin(twofold)
			begun.Wait()
			return errors.New("no stream has come to the server that the disaster meets")
		}
		return nil
	})
	for model, into := range tallies {
		for range underway {
			all.Go(func() { c.persist(t, into, model, long, false, func() {}) })
		}
	}
	eventually(t, func() error { return c.running(t, streams+2*underway) })

	stop := make(chan struct{})
	var flow sync.WaitGroup
	flow.Go(func() {
		tick := time.NewTicker(pace)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-tick.C:
				for model, into := range tallies {
					all.Go(func() { c.persist(t, into, model, 2, n%2 == 0, func() {}) })
				}
			case <-stop:
				return
			}
		}
	})
	came := time.Now()
	disaster()
	eventuallyWithin(t, recovery, back)
	took := time.Since(came)
	close(stop)
	flow.Wait()
	all.Wait()
	return tallies, took
}

// runs tells how many requests run at a server.
func (c *crashStack) runs(t *testing.T, port int) float64 {
	t.Helper()
	return c.scrape(t, fmt.Sprintf("http://127.0.0.1:%d", port)).sum("vllm:num_requests_running")
}

// running is nil when so many requests run at the servers.
func (c *crashStack) running(t *testing.T, want float64) error {
	t.Helper()
	n := 0.0
	for _, port := range c.ports {
		n += c.runs(t, port)
	}
	if n != want {
		return fmt.Errorf("%v requests run, want %v", n, want)
	}
	return nil
}

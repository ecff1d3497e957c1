package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway"
)

// held is a backend whose answers wait until they are let go, one each.
func held(t *testing.T) (b *backend, let chan struct{}) {
	let = make(chan struct{})
	return newBackend(t, func(c *exchange) {
		<-let
		vllm(c)
	}), let
}

func TestLimitsOfAKey(t *testing.T) {
	b, let := held(t)
	file := filepath.Join(t.TempDir(), "keys.yaml")
	f := start(t, keyFile(t, file, "few , requests_per_minute: 2", "short , tokens_per_minute: 320", "one , concurrent_requests: 1"), model("m", b.URL))
	const chat = "/llm/m/chat/completions"
	done := 0.0
	ok := func(body string, key string) http.Header {
		t.Helper()
		done++
		defer func() {
			f.awaitMetric(`fluidmcp_requests_total{code="200",endpoint="chat_completions",model="m"}`, done)
		}() // it is settled then
		go func() { let <- struct{}{} }()
		a := f.do("POST", chat, body, bearer(key)...)
		if a.status != 200 {
			t.Errorf("%s: %d %s", key, a.status, a.body)
		}
		return a.header
	}
	limited := func(body, key, kind, words string) http.Header {
		t.Helper()
		a := f.do("POST", chat, body, bearer(key)...)
		if a.status != 429 || a.code() != "rate_limit_exceeded" || !strings.Contains(a.body, words) || !strings.Contains(a.body, `"type":"`+kind+`"`) {
			t.Errorf("%s: %d %s; want %q", key, a.status, a.body, words)
		}
		return a.header
	}
	if h := ok(hello, "few"); h.Get("X-Ratelimit-Limit-Requests") != "2" || h.Get("X-Ratelimit-Remaining-Requests") != "1" || h.Get("X-Ratelimit-Reset-Requests") == "" {
		t.Errorf("headers: %v", h)
	}
	ok(hello, "few")
	if h := limited(hello, "few", "requests", "requests per min (RPM)"); h.Get("X-Ratelimit-Remaining-Requests") != "0" {
		t.Errorf("headers: %v", h)
	} else if after, err := strconv.Atoi(h.Get("Retry-After")); err != nil || after < 1 || after > 30 { // 30 less what has passed meanwhile
		t.Errorf("headers: %v", h)
	}
	// What was estimated is settled by what was used: 269 of 320 at first, then 10.
	for range 5 {
		ok(hello, "short")
	}
	if h := limited(`{"max_tokens":400}`, "short", "tokens", "Request too large"); h.Get("Retry-After") != "" || h.Get("X-Should-Retry") != "false" {
		t.Errorf("headers: %v", h)
	}
	f.awaitMetric(`fluidmcp_rate_limited_total{limit="tokens",model="m"}`, 1)

	resp := make(chan answer)
	go func() { resp <- f.do("POST", chat, hello, bearer("one")...) }()
	await(t, "the first request", func() bool { return f.metric(`fluidmcp_inflight_requests{model="m"}`) == 1 })
	limited(hello, "one", "requests", "concurrent requests")
	let <- struct{}{}
	if a := <-resp; a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	f.awaitMetric(`fluidmcp_errors_total{model="m",reason="rate_limited"}`, 3)
}

// TestLimitsBeforeALargeBody: a key that has used up what it may has no more large bodies read, and one that is being read counts.
func TestLimitsBeforeALargeBody(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.yaml")
	f := start(t, keyFile(t, file, "one , concurrent_requests: 1", "few , requests_per_minute: 2, tokens_per_minute: 1000"), model("m", newBackend(t, vllm).URL))
	const chat = "/llm/m/chat/completions"
	large := `{"messages":"` + strings.Repeat("x", 1<<20) + `"}`
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s", chat, bearer("one")[0], bearer("one")[1], len(large), large[:200_000])
	require.NoError(t, err)
	f.awaitMetric("fluidmcp_buffered_bytes", 200_000-64<<10)
	for _, body := range []string{large, hello} {
		if a := f.do("POST", chat, body, bearer("one")...); a.status != 429 || !strings.Contains(a.body, "concurrent requests") {
			t.Errorf("beside a body that is still coming: %d %s", a.status, a.body)
		}
	}
	if got := f.metric("fluidmcp_buffered_bytes"); got != 200_000-64<<10 {
		t.Errorf("%v bytes are held", got)
	}
	conn.Close()
	await(t, "the key is free", func() bool { return f.do("POST", chat, large, bearer("one")...).status == 200 })

	for range 3 { // such a request takes nothing
		a := f.do("POST", chat, large, bearer("few")...)
		if a.status != 429 || !strings.Contains(a.body, "Request too large") || a.header.Get("X-Ratelimit-Remaining-Requests") != "2" {
			t.Errorf("more tokens than the limit: %d %v %s", a.status, a.header, a.body)
		}
	}
	for range 2 {
		if a := f.do("POST", chat, hello, bearer("few")...); a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if a := f.do("POST", chat, large, bearer("few")...); a.status != 429 || !strings.Contains(a.body, "requests per min") {
		t.Errorf("over the rate: %d %s", a.status, a.body)
	}
}

// TestTokensOfBrokenStreams: what came before a stream broke, or before its client left, counts although no usage was told. So does what is
// sent as no JSON to a server that reads it all the same.
func TestTokensOfBrokenStreams(t *testing.T) {
	const tokens = 2700 // so many more than the limit of each key that it takes minutes until one of them may ask again
	b := newBackend(t, func(c *exchange) {
		if c.Header.Get("Content-Type") != "application/json" {
			c.plain(200, `{}`)
			return
		}
		c.write(streamHead, strings.Repeat(chunk(helloFrame), tokens))
		if strings.Contains(c.body, "silent") {
			c.gone()
		}
		c.conn.Close()
	})
	file := filepath.Join(t.TempDir(), "keys.yaml")
	f := start(t, keyFile(t, file, "breaks , tokens_per_minute: 1000", "leaves , tokens_per_minute: 1000", "text , tokens_per_minute: 1000"), model("m", b.URL))
	const chat = "/llm/m/chat/completions"
	spent := func(key, outcome string) {
		t.Helper()
		f.awaitMetric(`fluidmcp_streams_total{model="m",outcome="`+outcome+`"}`, 1) // it is settled then
		if a := f.do("POST", chat, `{"stream":true}`, bearer(key)...); a.status != 429 {
			t.Errorf("%s: %d %s, of %s left %s", key, a.status, a.body, a.header.Get("X-Ratelimit-Limit-Tokens"), a.header.Get("X-Ratelimit-Remaining-Tokens"))
		}
	}
	if a := f.do("POST", chat, `{"stream":true}`, bearer("breaks")...); !strings.HasSuffix(a.body, interrupted) {
		t.Errorf("%d %s", a.status, a.body)
	}
	spent("breaks", "interrupted")

	ctx, leave := context.WithCancel(t.Context())
	resp := f.open(ctx, "POST", chat, `{"stream":true,"user":"silent"}`, bearer("leaves")...)
	if _, err := io.ReadFull(resp.Body, make([]byte, tokens*len(helloFrame))); err != nil {
		t.Error(err)
	}
	leave()
	resp.Body.Close()
	spent("leaves", "client_closed")

	for range 3 {
		if a := f.do("POST", chat, strings.Repeat("x", 300), append(bearer("text"), "Content-Type", "text/plain")...); a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if a := f.do("POST", chat, "x", append(bearer("text"), "Content-Type", "text/plain")...); a.status != 429 {
		t.Errorf("as text: %d %s", a.status, a.body)
	}
}

func TestQueue(t *testing.T) {
	b, let := held(t)
	m := model("m", b.URL)
	m.Limits = fleet.Limits{Inflight: 1, Queue: 1, QueueTimeout: patience}
	f := start(t, func(c *gateway.Config) { c.KeepAliveInterval = 20 * time.Millisecond }, m)
	const chat = "/llm/m/chat/completions"
	var all sync.WaitGroup
	defer all.Wait()
	ask := func(body string) chan answer {
		got := make(chan answer, 1)
		all.Go(func() { got <- f.do("POST", chat, body) })
		return got
	}
	first := ask(hello)
	f.awaitMetric(`fluidmcp_inflight_requests{model="m"}`, 1)
	second := ask(hello)
	f.awaitMetric(`fluidmcp_queued_requests{model="m"}`, 1)
	if a := f.post(chat, hello); a.status != 503 || a.code() != "queue_full" || a.header.Get("Retry-After") == "" {
		t.Errorf("in a full queue: %d %v %s", a.status, a.header, a.body)
	}
	if n := len(b.requests()); n != 1 {
		t.Errorf("%d requests at the backend", n)
	}
	for _, answers := range []chan answer{first, second} {
		let <- struct{}{}
		if a := <-answers; a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	f.awaitMetric(`fluidmcp_queue_wait_seconds_count{model="m"}`, 3)

	// Its own deadline, and the queue's.
	first = ask(hello)
	f.awaitMetric(`fluidmcp_inflight_requests{model="m"}`, 1)
	if a := f.do("POST", chat, hello, "X-Request-Timeout", "0.05"); a.status != 504 || a.code() != "deadline_exceeded" {
		t.Errorf("its own deadline: %d %s", a.status, a.body)
	}
	for _, bad := range []string{"soon", "-1", "0"} {
		if a := f.do("POST", chat, hello, "X-Request-Timeout", bad); a.status != 400 || a.code() != "invalid_timeout" {
			t.Errorf("timeout %s: %d %s", bad, a.status, a.body)
		}
	}
	if a := f.do("POST", chat, hello, "X-Fluidmcp-Priority", "high"); a.status != 400 || a.code() != "invalid_priority" {
		t.Errorf("priority: %d %s", a.status, a.body)
	}
	m.Limits.QueueTimeout, m.Limits.KeepAlive = time.Second, true // a comment comes before
	f.deploy(m)
	if a := f.post(chat, hello); a.status != 503 || a.code() != "queue_timeout" {
		t.Errorf("the queue's time: %d %s", a.status, a.body)
	}
	// A stream that waits hears comments, and then an error can only be an event. On a machine that stands still the queue's time may
	// be over with that of the first comment.
	var a answer
	await(t, "a comment", func() bool { a = f.post(chat, chatStream); return a.code() != "queue_timeout" })
	if a.status != 200 || !strings.HasPrefix(a.body, ": waiting\n\n") || !strings.Contains(a.body, `data: {"error":`) ||
		!strings.Contains(a.body, `"code":"queue_timeout"`) || strings.Contains(a.body, "[DONE]") {
		t.Errorf("a stream that waits: %d %q", a.status, a.body)
	}
	f.awaitMetric(`fluidmcp_streams_total{model="m",outcome="error"}`, 1)
	m.Limits.QueueTimeout = patience
	f.deploy(m)
	resp := f.open(t.Context(), "POST", chat, chatStream)
	defer resp.Body.Close()
	comment := make([]byte, len(": waiting\n\n"))
	if _, err := io.ReadFull(resp.Body, comment); err != nil || string(comment) != ": waiting\n\n" {
		t.Errorf("a stream that waits: %q, %v", comment, err)
	}
	let <- struct{}{}
	let <- struct{}{}
	<-first
	if rest, err := io.ReadAll(resp.Body); err != nil || !strings.HasSuffix(string(rest), helloFrame+worldFrame+finishFrame+usageFrame+doneFrame) {
		t.Errorf("a stream that waited: %q, %v", rest, err)
	}
	f.awaitMetric(`fluidmcp_inflight_requests{model="m"}`, 0)
	f.awaitMetric(`fluidmcp_queued_requests{model="m"}`, 0)
}

// TestWaitingForAModel: a client that hears that it waits may wait for a model that is loading; others are told to come again.
func TestWaitingForAModel(t *testing.T) {
	b := newBackend(t, vllm)
	loading := fleet.Model{ID: "m", Phase: fleet.Starting, Limits: fleet.Limits{KeepAlive: true}}
	f := start(t, func(c *gateway.Config) { c.KeepAliveInterval = 20 * time.Millisecond }, loading)
	plain := f.ask(1, "/llm/m/chat/completions", hello) // it waits too, in silence
	resp := f.open(t.Context(), "POST", "/llm/m/chat/completions", chatStream)
	defer resp.Body.Close()
	first := make([]byte, len(": waiting\n\n"))
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != ": waiting\n\n" {
		t.Fatalf("%q, %v", first, err)
	}
	f.awaitMetric(`fluidmcp_queued_requests{model="m"}`, 2)
	f.deploy(model("m", b.URL))
	if a := <-plain; a.status != 200 {
		t.Errorf("no stream: %d %s", a.status, a.body)
	}
	rest, err := io.ReadAll(resp.Body)
	if err != nil || !strings.HasSuffix(string(rest), roleFrame+helloFrame+worldFrame+finishFrame+usageFrame+doneFrame) {
		t.Errorf("%q, %v", rest, err)
	}
	// One that fails instead of becoming ready ends the wait.
	f.deploy(loading)
	resp = f.open(t.Context(), "POST", "/llm/m/chat/completions", chatStream)
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, first); err != nil {
		t.Fatal(err)
	}
	f.deploy(fleet.Model{ID: "m", Phase: fleet.Failed, Limits: fleet.Limits{KeepAlive: true}})
	if rest, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(rest), `"code":"model_failed"`) {
		t.Errorf("%q, %v", rest, err)
	}
}

// TestLeavingTheQueue: who leaves while it waits and hears comments is no success, and does not pay for what nobody made.
func TestLeavingTheQueue(t *testing.T) {
	loading := fleet.Model{ID: "m", Phase: fleet.Starting, Limits: fleet.Limits{KeepAlive: true}}
	keys := keyFile(t, filepath.Join(t.TempDir(), "keys.yaml"), "short , tokens_per_minute: 320")
	f := start(t, func(c *gateway.Config) { keys(c); c.KeepAliveInterval = 20 * time.Millisecond }, loading)
	const chat = "/llm/m/chat/completions"
	listen := func(ctx context.Context) *http.Response {
		resp := f.open(ctx, "POST", chat, chatStream, bearer("short")...)
		if _, err := io.ReadFull(resp.Body, make([]byte, len(": waiting\n\n"))); err != nil {
			t.Fatal(err)
		}
		return resp
	}
	ctx, leave := context.WithCancel(t.Context())
	resp := listen(ctx)
	leave()
	resp.Body.Close()
	f.awaitMetric(`fluidmcp_requests_total{code="499",endpoint="chat_completions",model="m"}`, 1)
	f.awaitMetric(`fluidmcp_streams_total{model="m",outcome="client_closed"}`, 1)

	resp = listen(t.Context())
	failed := loading
	failed.Phase = fleet.Failed
	f.deploy(failed)
	if rest, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(rest), `"code":"model_failed"`) {
		t.Errorf("%q, %v", rest, err)
	}
	resp.Body.Close()
	f.awaitMetric(`fluidmcp_streams_total{model="m",outcome="error"}`, 1)

	f.deploy(model("m", newBackend(t, vllm).URL))
	if a := f.do("POST", chat, hello, bearer("short")...); a.status != 200 {
		t.Errorf("tokens were paid of which none was made: %d %s", a.status, a.body)
	}
}

// A deadline that passes in the middle of a stream ends it with an error event. It is as short as the machine allows: the frames have
// to come before it.
func TestDeadlineInAStream(t *testing.T) {
	b := newBackend(t, func(c *exchange) {
		c.write(streamHead, chunk(roleFrame), chunk(helloFrame))
		c.gone()
	})
	f := start(t, nil, model("m", b.URL))
	var a answer
	asked := 0
	inTime(func(deadline time.Duration) bool {
		asked++
		a = f.do("POST", "/llm/m/chat/completions", chatStream, "X-Request-Timeout", deadline.String())
		return a.code() != "deadline_exceeded"
	})
	if a.status != 200 || !strings.HasPrefix(a.body, roleFrame+helloFrame+`data: {"error":`) ||
		!strings.HasSuffix(a.body, `"code":"deadline_exceeded"}}`+"\n\n") {
		t.Errorf("%d %q", a.status, a.body)
	}
	f.awaitMetric(`fluidmcp_errors_total{model="m",reason="deadline"}`, float64(asked))
}

package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway"
)

// tryOpen posts body and returns the answer, or nil when ctx ended first.
func tryOpen(ctx context.Context, url, body string) *http.Response {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return nil
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil
	}
	return resp
}

// refusing is the URL of a backend that was there and is gone.
func refusing(t *testing.T) string {
	b := newBackend(t, vllm)
	b.kill()
	return b.URL
}

// quick is for backends that say no more: whatever still has to come from one comes within these, unless the machine stands still.
func quick(c *gateway.Config) {
	c.FirstByteTimeout = 500 * time.Millisecond
	c.IdleTimeout = 500 * time.Millisecond
}

// TestFailuresBeforeTheFirstByte has one row for each way in which the only backend fails a client who got nothing yet.
func TestFailuresBeforeTheFirstByte(t *testing.T) {
	f := func(name string, play func(c *exchange), body string, status int, code, reason, outcome string) {
		t.Run(name, func(t *testing.T) {
			url := ""
			if play == nil {
				url = refusing(t)
			} else {
				url = newBackend(t, play).URL
			}
			var impatient func(*gateway.Config)
			if reason == "timeout" { // the others fail by themselves, however long that takes
				impatient = quick
			}
			front := start(t, impatient, model("m", url))
			a := front.post("/llm/m/chat/completions", body)
			if a.status != status || a.code() != code {
				t.Fatalf("got %d %s; want %d %s", a.status, a.body, status, code)
			}
			front.awaitMetric(`fluidmcp_errors_total{model="m",reason="`+reason+`"}`, 1)
			front.awaitMetric(`fluidmcp_upstream_attempts_total{backend="m-0",model="m",outcome="`+outcome+`"}`, 1)
			front.awaitMetric(fmt.Sprintf(`fluidmcp_requests_total{code="%d",endpoint="chat_completions",model="m"}`, status), 1)
		})
	}
	closed := func(parts ...string) func(c *exchange) {
		return func(c *exchange) { c.write(parts...); c.conn.Close() }
	}
	silent := func(parts ...string) func(c *exchange) {
		return func(c *exchange) { c.write(parts...); c.gone() }
	}
	half := "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"
	f("refused", nil, hello, 502, "upstream_unreachable", "connect", "connect")
	f("closed without a word", closed(), hello, 502, "upstream_disconnected", "interrupted", "reset")
	f("not HTTP", closed("220 smtp ready\r\n"), hello, 502, "upstream_disconnected", "interrupted", "reset")
	f("plain cut", closed(half), hello, 502, "upstream_disconnected", "interrupted", "reset")
	const json = "\r\ncontent-type: application/json\r\n"
	cut := chatAnswer[:len(chatAnswer)/2]
	f("cut where the connection is the end", closed("HTTP/1.1 200 OK"+json+"\r\n", cut), hello, 502, "upstream_disconnected", "interrupted", "reset")
	f("cut in HTTP/1.0", closed("HTTP/1.0 200 OK"+json+"\r\n", cut), hello, 502, "upstream_disconnected", "interrupted", "reset")
	f("nothing but a head", closed("HTTP/1.1 200 OK"+json+"\r\n"), hello, 502, "upstream_disconnected", "interrupted", "reset")
	f("a length that is too short", closed("HTTP/1.1 200 OK"+json+"content-length: 20\r\n\r\n", chatAnswer), hello, 502, "upstream_disconnected", "interrupted", "reset")
	f("a stream that cannot be read", closed(strings.Replace(streamHead, "server: uvicorn", "content-encoding: gzip", 1), chunk(helloFrame), chunk(doneFrame)), chatStream,
		502, "upstream_disconnected", "interrupted", "reset")
	f("stream cut before its first frame", closed(streamHead), chatStream, 502, "upstream_disconnected", "interrupted", "reset")
	f("stream empty", closed(streamHead, "0\r\n\r\n"), chatStream, 502, "upstream_disconnected", "interrupted", "reset")
	f("silent", silent(), hello, 504, "upstream_timeout", "timeout", "timeout")
	f("silent in the body", silent(half), hello, 504, "upstream_timeout", "timeout", "timeout")
	f("stream silent before its first frame", silent(streamHead), chatStream, 504, "upstream_timeout", "timeout", "timeout")
}

// TestTimeoutsOfTheModel: those of the models file beat the gateway's.
func TestTimeoutsOfTheModel(t *testing.T) {
	b := newBackend(t, func(c *exchange) { c.write(streamHead, chunk(helloFrame)); c.gone() })
	m := model("m", b.URL)
	f := start(t, nil, m)
	var a answer
	inTime(func(limit time.Duration) bool {
		m.Timeouts.Idle = limit / 20
		f.deploy(m)
		a = f.post("/llm/m/chat/completions", chatStream)
		return a.code() != "upstream_timeout" // before the frame, which has to come in this time too
	})
	if !strings.HasSuffix(a.body, interrupted) {
		t.Errorf("idle: %d %s", a.status, a.body)
	}
	m.Timeouts.FirstByte = time.Nanosecond
	f.deploy(m)
	if a := f.post("/llm/m/chat/completions", hello); a.status != 504 || a.code() != "upstream_timeout" {
		t.Errorf("first byte: %d %s", a.status, a.body)
	}
}

// TestRetry: another backend answers for one that could not.
func TestRetry(t *testing.T) {
	f := func(name, reason, body string, play func(c *exchange)) {
		t.Run(name, func(t *testing.T) {
			good := newBackend(t, vllm)
			bad := refusing(t)
			if play != nil {
				bad = newBackend(t, play).URL
			}
			m := model("m", bad, good.URL)
			m.Routing.Policy = fleet.RoundRobin // so that one of the two begins at the bad one
			front := start(t, func(c *gateway.Config) { c.ProbeInterval = time.Hour }, m)
			for range 2 {
				if a := front.post("/llm/m/chat/completions", body); a.status != 200 {
					t.Fatalf("got %d %s", a.status, a.body)
				}
			}
			front.awaitMetric(`fluidmcp_retries_total{model="m",reason="`+reason+`"}`, 1)
			front.awaitMetric(`fluidmcp_requests_total{code="200",endpoint="chat_completions",model="m"}`, 2)
			front.awaitMetric(`fluidmcp_request_duration_seconds_count{endpoint="chat_completions",model="m"}`, 2)
		})
	}
	f("refused", "connect", hello, nil)
	f("closed", "reset", hello, func(c *exchange) { c.conn.Close() })
	f("stream closed before its first frame", "reset", chatStream, func(c *exchange) { c.write(streamHead); c.conn.Close() })
	f("speech closed before its first byte", "reset", hello, func(c *exchange) {
		c.write("HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\n")
		c.conn.Close()
	})
	f("503", "unavailable", hello, func(c *exchange) { c.plain(503, `{}`) })
}

// TestRequestThatCannotBeWritten: HTTP/2 lets pass what HTTP/1.1 cannot say. That is the client's fault, and no backend's.
func TestRequestThatCannotBeWritten(t *testing.T) {
	f := start(t, nil, model("m", newBackend(t, vllm).URL))
	h2 := &http.Transport{Protocols: new(http.Protocols)}
	h2.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(h2.CloseIdleConnections)
	for range 6 { // five failures eject
		req, err := http.NewRequestWithContext(t.Context(), "POST", f.url+"/llm/m/chat/completions", strings.NewReader(hello))
		if err != nil {
			t.Fatal(err)
		}
		req.URL.RawQuery = "a b"
		req.Header.Set("Content-Type", "application/json")
		resp, err := h2.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if a := (answer{body: string(body)}); err != nil || resp.StatusCode != 400 || a.code() != "malformed_request" {
			t.Errorf("%d %s, %v", resp.StatusCode, body, err)
		}
		resp.Body.Close()
	}
	f.awaitMetric(`fluidmcp_backend_ejected{backend="m-0",model="m"}`, 0)
}

func TestNoRetry(t *testing.T) {
	f := func(status int, header, reason string) {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			const body = `{"error":{"message":"as the backend says it","type":"T","param":null,"code":1}}`
			refuse := func(c *exchange) { c.plain(status, body, header) }
			one, two := newBackend(t, refuse), newBackend(t, refuse)
			front := start(t, nil, model("m", one.URL, two.URL))
			a := front.post("/llm/m/chat/completions", hello)
			if a.status != status || a.body != body {
				t.Errorf("got %d %s", a.status, a.body)
			}
			if name, value, _ := strings.Cut(header, ": "); a.header.Get(name) != value {
				t.Errorf("%s is missing in %v", header, a.header)
			}
			front.awaitMetric(`fluidmcp_errors_total{model="m",reason="`+reason+`"}`, 1)
			want := 1
			if status == 503 {
				want = 2 // both were tried, and the refusal of the last one passes
			}
			if n := len(one.requests()) + len(two.requests()); n != want {
				t.Errorf("%d attempts, want %d", n, want)
			}
		})
	}
	f(400, "X-Detail: bad", "upstream_4xx")
	f(429, "Retry-After: 17", "upstream_4xx")
	f(500, "X-Detail: broken", "upstream_5xx")
	f(503, "Retry-After: 3", "upstream_5xx")
}

// TestIdleConnectionClosed: the backend closes a kept connection as it comes into use again.
func TestIdleConnectionClosed(t *testing.T) {
	b := newBackend(t, func(c *exchange) {
		if c.n == 1 { // the second request, on the connection of the first
			c.conn.Close()
			return
		}
		vllm(c)
	})
	f := start(t, nil, model("m", b.URL))
	for range 2 {
		if a := f.post("/llm/m/chat/completions", hello); a.status != 200 {
			t.Fatalf("got %d %s", a.status, a.body)
		}
	}
	if n := len(b.requests()); n != 3 {
		t.Errorf("the backend saw %d requests, want 3: one was sent again", n)
	}
}

// TestBigAnswer: above what is held back a late death breaks the transfer, so that no client takes it for whole.
func TestBigAnswer(t *testing.T) {
	big := strings.Repeat("x", 9<<20)
	f := func(name string, missing int, whole bool) {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, func(c *exchange) {
				c.write(fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n", len(big)+missing), big)
				c.conn.Close()
			})
			front := start(t, nil, model("m", b.URL))
			a := front.post("/llm/m/embeddings", hello)
			if (a.err == nil) != whole || a.status != 200 || len(a.body) != len(big) {
				t.Errorf("status %d, %d bytes, error %v", a.status, len(a.body), a.err)
			}
			front.awaitMetric(`fluidmcp_requests_total{code="200",endpoint="embeddings",model="m"}`, 1)
		})
	}
	f("whole", 0, true)
	f("cut", 1, false)
}

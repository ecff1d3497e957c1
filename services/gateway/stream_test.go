package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
)

const (
	chatStream  = `{"stream":true,"stream_options":{"include_usage":true},"messages":[]}`
	interrupted = `"type":"upstream_error","param":null,"code":"stream_interrupted"}}` + "\n\n"
)

// TestBrokenStreams has one row for each way in which a backend can leave a stream unfinished.
func TestBrokenStreams(t *testing.T) {
	f := func(name, endpoint string, play func(c *exchange), wantBefore string) {
		t.Run(name, func(t *testing.T) {
			m := model("m", newBackend(t, play).URL)
			front := start(t, nil, m)
			var a answer
			inTime(func(limit time.Duration) bool {
				if name == "silence" { // the others end by themselves, however long that takes
					m.Timeouts.FirstByte, m.Timeouts.Idle = limit, limit
					front.deploy(m)
				}
				a = front.post("/llm/m/"+endpoint, chatStream)
				return a.code() != "upstream_timeout" // before the head
			})
			if a.status != 200 || a.err != nil {
				t.Fatalf("status %d, error %v", a.status, a.err)
			}
			rest, ok := strings.CutPrefix(a.body, wantBefore)
			if !ok || !strings.HasPrefix(rest, `data: {"error":{"message":"`) || !strings.HasSuffix(rest, interrupted) || strings.Count(rest, "\n\n") != 1 {
				t.Errorf("body = %q; want %q, then one error event and no [DONE]", a.body, wantBefore)
			}
			front.awaitMetric(`fluidmcp_streams_total{model="m",outcome="interrupted"}`, 1)
			front.awaitMetric(`fluidmcp_errors_total{model="m",reason="interrupted"}`, 1)
			front.awaitMetric(`fluidmcp_inflight_requests{model="m"}`, 0)
			await(t, "its line in the log", func() bool { return strings.Contains(front.logs.String(), `"stream":"interrupted"`) })
		})
	}
	head := streamHead + chunk(roleFrame) + chunk(helloFrame)
	closing := func(parts ...string) func(c *exchange) {
		return func(c *exchange) { c.write(parts...); c.conn.Close() }
	}
	f("connection lost", "chat/completions", closing(head), roleFrame+helloFrame)
	f("clean end without DONE", "chat/completions", closing(head, "0\r\n\r\n"), roleFrame+helloFrame)
	f("on SageMaker's path", "invocations", closing(head, "0\r\n\r\n"), roleFrame+helloFrame)
	f("on a path of the future", "v1/chat/completions2", closing(head, "0\r\n\r\n"), roleFrame+helloFrame)
	f("dead after the last token", "chat/completions", closing(head, chunk(finishFrame)), roleFrame+helloFrame+finishFrame)
	f("dead after the usage", "chat/completions", closing(head, chunk(finishFrame), chunk(usageFrame), "0\r\n\r\n"), roleFrame+helloFrame+finishFrame+usageFrame)
	f("half of DONE", "chat/completions", closing(head, chunk("data: [DONE]\n"), "0\r\n\r\n"), roleFrame+helloFrame)
	f("HTTP/1.0", "chat/completions", closing("HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n", roleFrame), roleFrame)
	f("a length that is too short", "chat/completions", closing("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ",
		fmt.Sprint(len(helloFrame)+3), "\r\n\r\n", helloFrame, doneFrame), helloFrame)
	f("torn frame", "completions", closing(head, chunk(worldFrame[:20]), "0\r\n\r\n"), roleFrame+helloFrame)
	f("torn chunk", "chat/completions", closing(head, "50\r\ndata: {"), roleFrame+helloFrame)
	f("silence", "chat/completions", func(c *exchange) { c.write(head); c.gone() }, roleFrame+helloFrame)
	f("responses cut", "responses", closing(streamHead, chunk("event: x\ndata: {}\n\n")), "event: x\ndata: {}\n\n")
}

func TestCompleteStreams(t *testing.T) {
	f := func(name, endpoint, want, outcome string, play func(c *exchange)) {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, play)
			front := start(t, nil, model("m", b.URL))
			a := front.post("/llm/m/"+endpoint, `{"stream":true}`)
			if a.status != 200 || a.body != want || a.err != nil {
				t.Errorf("got %d %q %v, want %q", a.status, a.body, a.err, want)
			}
			front.awaitMetric(`fluidmcp_streams_total{model="m",outcome="`+outcome+`"}`, 1)
		})
	}
	send := func(frames ...string) func(c *exchange) { return func(c *exchange) { c.stream(frames...) } }
	crlf := strings.ReplaceAll(helloFrame+doneFrame, "\n", "\r\n")
	f("CRLF", "chat/completions", crlf, "completed", send(crlf))
	f("one byte a chunk", "chat/completions", helloFrame+doneFrame, "completed", send(strings.Split(helloFrame+doneFrame, "")...))
	f("all in one chunk", "chat/completions", helloFrame+worldFrame+doneFrame, "completed", send(helloFrame+worldFrame+usageFrame+doneFrame))
	f("comments", "chat/completions", ": keep-alive\n\n"+helloFrame+doneFrame, "completed", send(": keep-alive\n\n", helloFrame, doneFrame))
	const completed = "event: response.completed\ndata: {\"response\":{},\"type\":\"response.completed\"}\n\n"
	f("responses end without DONE", "responses", completed, "completed", send(completed))
	f("silent after DONE", "chat/completions", helloFrame+doneFrame, "completed",
		func(c *exchange) { c.write(streamHead, chunk(helloFrame), chunk(doneFrame)); c.gone() })
	f("more after DONE", "chat/completions", helloFrame+doneFrame, "completed", send(helloFrame, doneFrame, worldFrame, doneFrame))
	f("a length that is too long", "chat/completions", helloFrame+doneFrame, "completed", func(c *exchange) {
		c.write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9999\r\n\r\n", helloFrame, doneFrame)
		c.conn.Close()
	})
	failure := `data: {"error": {"message": "boom", "type": "BadRequestError", "param": null, "code": 400}}` + "\n\n"
	f("error frame", "chat/completions", failure+doneFrame, "error", send(failure, doneFrame))
	f("error frame without DONE", "chat/completions", helloFrame+failure, "error", send(helloFrame, failure))
}

// TestStreamIsNotHeldBack reads each frame before the backend is allowed to send the next.
func TestStreamIsNotHeldBack(t *testing.T) {
	next := make(chan string)
	b := newBackend(t, func(c *exchange) {
		c.write(streamHead)
		for frame := range next {
			c.write(chunk(frame))
		}
		c.write("0\r\n\r\n")
	})
	f := start(t, nil, model("m", b.URL))
	go func() { next <- roleFrame }()
	resp := f.open(t.Context(), "POST", "/llm/m/chat/completions", chatStream)
	defer resp.Body.Close()
	in := bufio.NewReader(resp.Body)
	for i, frame := range []string{roleFrame, helloFrame, worldFrame, doneFrame} {
		if i > 0 {
			next <- frame
		}
		got := make([]byte, len(frame))
		if _, err := io.ReadFull(in, got); err != nil || string(got) != frame {
			t.Fatalf("read %q, %v; want %q", got, err, frame)
		}
	}
	close(next)
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
		t.Errorf("rest %q, %v", rest, err)
	}
}

// TestClientLeaves: the backend's connection is closed at once, and nobody else is blamed.
func TestClientLeaves(t *testing.T) {
	f := func(name, body string, answered bool, play func(c *exchange), series ...string) {
		t.Run(name, func(t *testing.T) {
			started, noticed := make(chan struct{}), make(chan struct{})
			b := newBackend(t, func(c *exchange) {
				play(c)
				close(started)
				c.gone()
				close(noticed)
			})
			front := start(t, nil, model("m", b.URL))
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			if !answered {
				go func() { // ends with the backend's script
					<-started
					leave()
				}()
			}
			if resp := tryOpen(ctx, front.url+"/llm/m/chat/completions", body); resp != nil {
				_, _ = io.ReadFull(resp.Body, make([]byte, len(helloFrame)))
				leave()
				resp.Body.Close()
			}
			select {
			case <-noticed:
			case <-time.After(patience):
				t.Fatal("the backend's request was not cancelled")
			}
			for _, s := range append(series, `fluidmcp_errors_total{model="m",reason="client_closed"}`,
				`fluidmcp_requests_total{code="499",endpoint="chat_completions",model="m"}`) {
				front.awaitMetric(s, 1)
			}
			front.awaitMetric(`fluidmcp_inflight_requests{model="m"}`, 0)
			if up := front.metric(`fluidmcp_backend_up{backend="m-0",model="m"}`); up != 1 {
				t.Errorf("backend_up = %v", up)
			}
		})
	}
	f("plain", hello, false, func(*exchange) {})
	f("stream before the first frame", chatStream, false, func(c *exchange) { c.write(streamHead) })
	f("stream", chatStream, true, func(c *exchange) { c.write(streamHead, chunk(helloFrame)) },
		`fluidmcp_streams_total{model="m",outcome="client_closed"}`)
}

// TestManyStreams: readers of all speeds, at once, each get exactly their own stream.
func TestManyStreams(t *testing.T) {
	const tokens = 50
	b := newBackend(t, func(c *exchange) {
		c.write(streamHead)
		for i := range tokens {
			c.write(chunk(fmt.Sprintf("data: {\"choices\":[{\"delta\":{\"content\":\"%s-%d\"}}]}\n\n", c.Header.Get("X-Request-Id"), i)))
		}
		c.write(chunk(doneFrame), "0\r\n\r\n")
	})
	f := start(t, nil, model("m", b.URL))
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			id := fmt.Sprint("reader-", n)
			resp := f.open(t.Context(), "POST", "/llm/m/chat/completions", chatStream, "X-Request-Id", id)
			defer resp.Body.Close()
			src := io.Reader(resp.Body)
			if n%2 == 0 {
				src = iotest.OneByteReader(src)
			}
			body, err := io.ReadAll(src)
			if err != nil || strings.Count(string(body), id+"-") != tokens || !strings.HasSuffix(string(body), doneFrame) {
				t.Errorf("%s got %d bytes, %v", id, len(body), err)
			}
		})
	}
	all.Wait()
	f.awaitMetric(`fluidmcp_streams_total{model="m",outcome="completed"}`, 100)
	f.awaitMetric(`fluidmcp_time_to_first_token_seconds_count{model="m"}`, 100)
	f.awaitMetric(`fluidmcp_inter_token_seconds_count{model="m"}`, 100*(tokens-1))
	f.awaitMetric(`fluidmcp_inflight_requests{model="m"}`, 0)
}

// TestBigFrame: a frame of a megabyte, as logprobs and images make them.
func TestBigFrame(t *testing.T) {
	frame := "data: {\"choices\":[{\"delta\":{\"content\":\"" + strings.Repeat("ä", 1<<19) + "\"}}]}\n\n"
	b := newBackend(t, func(c *exchange) { c.stream(frame[:1000001], frame[1000001:], doneFrame) }) // cut inside of a letter
	f := start(t, nil, model("m", b.URL))
	if a := f.post("/llm/m/chat/completions", chatStream); a.body != frame+doneFrame {
		t.Errorf("got %d bytes, want %d", len(a.body), len(frame+doneFrame))
	}
}

// TestClientLeavesWhileSending: half a body is no request.
func TestClientLeavesWhileSending(t *testing.T) {
	b := newBackend(t, vllm)
	f := start(t, nil, model("m", b.URL))
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "POST /llm/m/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	f.awaitMetric(`fluidmcp_requests_total{code="499",endpoint="chat_completions",model="m"}`, 1)
	f.awaitMetric(`fluidmcp_errors_total{model="m",reason="client_closed"}`, 1)
	if len(b.requests()) != 0 {
		t.Error("half a request was forwarded")
	}
}

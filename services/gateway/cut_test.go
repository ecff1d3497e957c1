package gateway_test

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// wholeStream is a stream as vLLM sends it, with the usage that it was asked for.
const wholeStream = roleFrame + helloFrame + worldFrame + finishFrame + usageFrame + doneFrame

// TestEveryCut lets a backend die after each byte of its answer, in each way in which answers are framed. A client gets all of it, or is
// told: by a status, by the event that ends a broken stream, or by a transfer that breaks. It never gets a part that looks whole.
func TestEveryCut(t *testing.T) {
	chunks := func(text string) string {
		var out strings.Builder
		for frame := range strings.SplitAfterSeq(text, "\n\n") {
			if frame != "" {
				out.WriteString(chunk(frame))
			}
		}
		return out.String() + "0\r\n\r\n"
	}
	const events, object = "content-type: text/event-stream\r\n", "content-type: application/json\r\n"
	length := func(text string) string { return fmt.Sprintf("content-length: %d\r\n\r\n%s", len(text), text) }
	answers := []string{
		streamHead + chunks(wholeStream),
		"HTTP/1.1 200 OK\r\n" + events + length(wholeStream),
		"HTTP/1.1 200 OK\r\n" + events + "\r\n" + wholeStream,
		"HTTP/1.0 200 OK\r\n" + events + "\r\n" + wholeStream,
		"HTTP/1.1 200 OK\r\n" + object + length(chatAnswer),
		"HTTP/1.1 200 OK\r\n" + object + "transfer-encoding: chunked\r\n\r\n" + chunk(chatAnswer[:99]) + chunk(chatAnswer[99:]) + "0\r\n\r\n",
		"HTTP/1.1 200 OK\r\n" + object + "\r\n" + chatAnswer,
		"HTTP/1.0 200 OK\r\n" + object + "connection: close\r\n\r\n" + chatAnswer,
		"HTTP/1.1 200 OK\r\n" + object + fmt.Sprintf("content-length: %d\r\n\r\n", len(chatAnswer)/2) + chatAnswer, // it cannot be whole
	}
	b := newBackend(t, func(c *exchange) {
		which, _ := strconv.Atoi(c.Header.Get("X-Answer"))
		n, _ := strconv.Atoi(c.Header.Get("X-Bytes"))
		c.write(answers[which][:n])
		if n%2 == 0 && n < len(answers[which]) {
			_ = c.conn.(*net.TCPConn).SetLinger(0) // a reset
		}
		c.conn.Close()
	})
	f := start(t, nil, model("m", b.URL))
	var all sync.WaitGroup
	turns := make(chan struct{}, 8)
	for which, raw := range answers {
		whole := 0
		var mu sync.Mutex
		for n := range len(raw) + 1 {
			turns <- struct{}{}
			all.Go(func() {
				defer func() { <-turns }()
				asked := chatStream
				if n%3 == 0 { // the usage is not what the client wants, and chunks are held back for it
					asked = `{"stream":true}`
				}
				a := f.do("POST", "/llm/m/chat/completions", asked, "X-Answer", strconv.Itoa(which), "X-Bytes", strconv.Itoa(n))
				got, told := outcomeOf(a, n%3 == 0)
				if !told {
					t.Errorf("answer %d cut after %d bytes: %d %q, %v", which, n, a.status, a.body, a.err)
				}
				mu.Lock()
				defer mu.Unlock()
				if got {
					whole++
				}
			})
		}
		all.Wait()
		if sent := which != len(answers)-1; sent != (whole > 0) {
			t.Errorf("answer %d came whole %d times", which, whole)
		}
	}
	f.awaitMetric(`fluidmcp_inflight_requests{model="m"}`, 0)
	f.awaitMetric(`fluidmcp_backend_connections{state="busy"}`, 0)
}

// outcomeOf tells a whole answer, and whether the client could tell what it got. noUsage is a stream without the chunk for it.
func outcomeOf(a answer, noUsage bool) (whole, told bool) {
	expected := wholeStream
	if noUsage {
		expected = strings.Replace(wholeStream, usageFrame, "", 1)
	}
	switch {
	case a.err != nil:
		return false, true
	case a.status != 200:
		return false, strings.HasPrefix(a.code(), "upstream_")
	case a.body == expected || a.body == chatAnswer:
		return true, true
	}
	before, isBroken := strings.CutSuffix(a.body, interrupted)
	at := strings.LastIndex(before, `data: {"error":`)
	return false, isBroken && at >= 0 && strings.HasPrefix(expected, before[:at]) && !strings.Contains(before, "[DONE]")
}

// TestEveryCutOfARequest lets a client leave after each byte of its request. Nothing of such a request reaches a model, and nothing of
// it is left over.
func TestEveryCutOfARequest(t *testing.T) {
	const whole = `{"messages":[{"role":"user","content":"Hello"}],"user":"whole"}`
	b := newBackend(t, vllm)
	f := start(t, nil, model("m", b.URL))
	head := "POST /llm/m/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	for _, raw := range []string{
		head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(whole), whole),
		head + "Transfer-Encoding: chunked\r\n\r\n" + chunk(whole[:20]) + chunk(whole[20:]) + "0\r\nX-Trailer: 1\r\n\r\n",
		head + fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n%s", len(whole), whole),
	} {
		for n := range len(raw) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write([]byte(raw[:n])); err != nil {
				t.Errorf("%d bytes: %v", n, err)
			}
			if n%2 == 0 {
				_ = conn.(*net.TCPConn).SetLinger(0) // a reset
			}
			conn.Close()
		}
	}
	if a := f.post("/llm/m/chat/completions", whole); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	f.awaitMetric(`fluidmcp_inflight_requests{model="m"}`, 0)
	f.awaitMetric(`fluidmcp_backend_connections{state="busy"}`, 0)
	if n := len(b.requests()); n != 1 {
		t.Errorf("%d requests at the backend, want the one that was whole: %q", n, b.requests()[0].body)
	}
}

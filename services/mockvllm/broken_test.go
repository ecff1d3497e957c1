package mockvllm_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
)

// withFault is a request that brings its fault in its header.
func withFault(path, body, fault string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Mock-Fault: %s\r\nContent-Length: %d\r\n\r\n%s", path, fault, len(body), body)
}

// wireAnswer is what came over a bare connection.
type wireAnswer struct {
	head   string
	chunks []string // of a chunked body
	whole  bool     // it had its last chunk
	body   string   // of any other
	err    error    // with which the connection ended, nil when it did not
}

func (a wireAnswer) text() string { return strings.Join(a.chunks, "") }

func (s *server) over(request string) (a wireAnswer) {
	s.t.Helper()
	conn, r := s.dial()
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		s.t.Fatal(err)
	}
	length := -1
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			a.err = err
			return a
		}
		if line == "\r\n" {
			break
		}
		a.head += line
		if n, ok := strings.CutPrefix(strings.ToLower(line), "content-length: "); ok {
			length, _ = strconv.Atoi(strings.TrimSpace(n))
		}
	}
	if length >= 0 {
		body, err := io.ReadAll(io.LimitReader(r, int64(length)))
		a.body, a.err = string(body), err
		if len(body) < length && err == nil {
			a.err = io.ErrUnexpectedEOF
		}
		return a
	}
	a.readChunks(r)
	return a
}

func (a *wireAnswer) readChunks(r *bufio.Reader) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			a.err = err
			return
		}
		size, err := strconv.ParseInt(strings.TrimSpace(line), 16, 32)
		if err != nil {
			a.err = err
			return
		}
		chunk := make([]byte, size+2)
		if _, a.err = io.ReadFull(r, chunk); a.err != nil {
			return
		}
		if size == 0 {
			a.whole = true
			return
		}
		a.chunks = append(a.chunks, string(chunk[:size]))
	}
}

const streamed = `,"stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true}`

// last returns the only request in the journal since the last call.
func (s *server) lastRecord() journal.Record {
	s.t.Helper()
	all := s.journal(1, "")
	if len(all) != 1 {
		s.t.Fatalf("the journal has %+v", all)
	}
	s.call("DELETE", "/mock/requests", "")
	return all[0]
}

func TestStreamsAreCut(t *testing.T) {
	s := start(t)
	f := func(fault string, frames, tokens int, reset bool) {
		t.Helper()
		a := s.over(withFault(chatPath, chatBody("Hello", streamed), fault))
		end := io.EOF
		if reset {
			end = syscall.ECONNRESET
		}
		if len(a.chunks) != frames || a.whole || !errors.Is(a.err, end) {
			t.Errorf("%s: %d frames, %v, want %d, %v", fault, len(a.chunks), a.err, frames, end)
		}
		if r := s.lastRecord(); r.Outcome != journal.Aborted || r.AbortedBy != journal.ByFault || r.Tokens != tokens || r.Status != 200 {
			t.Errorf("%s: %+v", fault, r)
		}
	}
	f("cut=0", 0, 0, false)
	f("cut=1", 2, 1, false) // and the role
	f("cut=3", 4, 3, false)
	f("reset=3", 4, 3, true)
	f("cut=3, join=2", 2, 3, false)
	f("delay=1ms,cut=2", 3, 2, false)
	s.waitMetric(running, "0")
}

func TestPlainAnswersAreCut(t *testing.T) {
	s := start(t)
	whole := s.over(withFault(chatPath, chatBody("Hello", ""), "split=1000")).body
	f := func(fault string, end error) {
		t.Helper()
		a := s.over(withFault(chatPath, chatBody("Hello", ""), fault))
		if !errors.Is(a.err, end) || len(a.body) != len(whole)/2 && end != syscall.ECONNRESET {
			t.Errorf("%s: %v after %d of %d bytes", fault, a.err, len(a.body), len(whole))
		}
	}
	f("cut=0", io.ErrUnexpectedEOF)
	f("cut=99", io.ErrUnexpectedEOF)
	f("reset=0", syscall.ECONNRESET)
}

func TestStalls(t *testing.T) {
	s := start(t)
	if a := s.over(withFault(chatPath, chatBody("Hello", streamed), "stall=2,stall_for=1ms")); !a.whole || !strings.HasSuffix(a.text(), "data: [DONE]\n\n") {
		t.Errorf("after the stall came %q, %v", a.text(), a.err)
	}
	if a := s.over(withFault(chatPath, chatBody("Hello", ""), "stall=0,stall_for=1ms")); !strings.HasSuffix(a.body, "}") || a.err != nil {
		t.Errorf("after the stall came %q, %v", a.body, a.err)
	}
	s.journal(2, "")
	s.call("DELETE", "/mock/requests", "")
	ctx, leave := context.WithCancel(t.Context())
	resp := s.doContext(ctx, "POST", chatPath, endless(streamed), "X-Mock-Fault", "stall=2")
	body := bufio.NewReader(resp.Body)
	for range 6 { // role and two tokens, each with its blank line
		if _, err := body.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	s.waitMetric(running, "1")
	leave()
	s.waitMetric(running, "0")
	if r := s.lastRecord(); r.AbortedBy != journal.ByClient || r.Tokens != 2 {
		t.Errorf("%+v", r)
	}
}

// TestPlainAnswersAreLeft: what the client did not wait for was not sent.
func TestPlainAnswersAreLeft(t *testing.T) {
	s := start(t)
	for _, fault := range []string{"stall=0", "trickle=1"} {
		ctx, leave := context.WithCancel(t.Context())
		resp := s.doContext(ctx, "POST", chatPath, chatBody("Hello", ""), "X-Mock-Fault", fault)
		leave()
		_ = resp.Body.Close()
		if r := s.lastRecord(); r.Status != 200 || r.Outcome != journal.Aborted || r.AbortedBy != journal.ByClient || r.NoticedMS == nil {
			t.Errorf("%s: %+v", fault, r)
		}
	}
}

func TestFramesAreSplit(t *testing.T) {
	s := start(t)
	const question = "Grüße, 世界 🌍"
	within := 0
	for _, size := range []int{1, 2, 7} {
		a := s.over(withFault(chatPath, chatBody(question, `,"stream":true`), "split="+itoa(size)))
		for _, c := range a.chunks {
			if len(c) > size {
				t.Errorf("a chunk of %d bytes, want at most %d", len(c), size)
			}
			if !utf8.ValidString(c) {
				within++
			}
		}
		if text, _ := streamText(t, readFrames(t, strings.NewReader(a.text()))); text != "Mock response to: "+question+"..." || !a.whole {
			t.Errorf("split by %d: %q, %v", size, text, a.err)
		}
	}
	if within == 0 {
		t.Error("no character was split")
	}
}

func TestFramesAreJoined(t *testing.T) {
	s := start(t)
	whole := s.over(post(chatPath, chatBody("Hello", `,"stream":true`)))
	a := s.over(withFault(chatPath, chatBody("Hello", `,"stream":true`), "join=4"))
	if want := (len(whole.chunks) + 3) / 4; len(a.chunks) != want || strings.Count(a.chunks[0], "\n\n") != 4 || !a.whole {
		t.Errorf("%d chunks, want %d: %q", len(a.chunks), want, a.chunks)
	}
}

func TestMalformed(t *testing.T) {
	s := start(t)
	whole := s.over(post(chatPath, chatBody("Hello", `,"stream":true`)))
	a := s.over(withFault(chatPath, chatBody("Hello", `,"stream":true`), "malformed=2"))
	bad := 0
	for i, c := range a.chunks {
		if strings.HasSuffix(c, "}\n\n") || strings.HasSuffix(c, "[DONE]\n\n") {
			continue
		}
		bad++
		if i != 3 { // after the role and two tokens
			t.Errorf("frame %d: %q", i, c)
		}
	}
	if bad != 1 || len(a.chunks) != len(whole.chunks) {
		t.Errorf("%d bad frames of %d, want 1 of %d", bad, len(a.chunks), len(whole.chunks))
	}
	if a := s.over(withFault(chatPath, chatBody("Hello", ""), "malformed=0")); a.err != nil || strings.HasSuffix(a.body, "}") || a.body == "" {
		t.Errorf("plain: %q, %v", a.body, a.err)
	}
}

func TestTrickle(t *testing.T) {
	s := start(t, "--mock-clock", "virtual")
	resp := s.doContext(t.Context(), "POST", chatPath, chatBody("Hello", ""), "X-Mock-Fault", "trickle=20")
	defer resp.Body.Close()
	body := bufio.NewReader(resp.Body)
	if _, err := body.Peek(1); err != nil {
		t.Fatal(err)
	}
	if n := body.Buffered(); n != 1 {
		t.Errorf("%d bytes are there without any time", n)
	}
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, body)
		done <- err
	}()
	for {
		s.call("POST", "/mock/clock?advance=1s", "")
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
	}
}

func TestWrongLengths(t *testing.T) {
	s := start(t)
	f := func(by int, want error) {
		t.Helper()
		a := s.over(withFault(chatPath, chatBody("Hello", ""), "wrong_length="+itoa(by)))
		if !errors.Is(a.err, want) || want == nil && strings.HasSuffix(a.body, "}") || !strings.Contains(a.head, "HTTP/1.1 200 OK") {
			t.Errorf("%+d: %q %q, %v", by, a.head, a.body, a.err)
		}
	}
	f(7, io.ErrUnexpectedEOF)
	f(-7, nil)
	s.journal(2, "")
	s.call("DELETE", "/mock/requests", "")
	f(-7, nil)
	if r := s.lastRecord(); r.Status != 200 || r.AbortedBy != journal.ByFault {
		t.Errorf("%+v", r)
	}
}

func TestFaultsOfOneRequest(t *testing.T) {
	s := start(t)
	f := func(fault string, want int, parts ...string) http.Header {
		t.Helper()
		resp := s.do("POST", chatPath, chatBody("x", ""), "X-Mock-Fault", fault)
		body, _ := io.ReadAll(resp.Body)
		for _, part := range parts {
			if !bytes.Contains(body, []byte(part)) {
				t.Errorf("%s: %s, want %s", fault, body, part)
			}
		}
		if resp.StatusCode != want {
			t.Errorf("%s: %d %s", fault, resp.StatusCode, body)
		}
		return resp.Header
	}
	if h := f("status=503,message=later,retry_after=1500ms", 503, `"message":"later"`); h.Get("Retry-After") != "2" {
		t.Errorf("Retry-After %q", h.Get("Retry-After"))
	}
	f(`{"status":502,"body":"<html>"}`, 502, "<html>")
	if a := s.over(withFault(chatPath, chatBody("x", ""), "delay=1ms\r\nX-Mock-Fault: status=503")); !strings.HasPrefix(a.head, "HTTP/1.1 503 ") {
		t.Errorf("the header twice: %s", a.head)
	}
	f("staus=503", 400, `X-Mock-Fault: staus: unknown field; did you mean \"status\"?`)
	f("status=500,trickle=100000,split=3", 500, "Model error")
	f("delay=1ms", 200, "Mock response")
	s.call("PUT", "/mock/faults", `{"rules":[{"match":{"model":"other"},"do":{"status":500}},{"match":{"model":"mock-model","header":{"X-Tenant":"a"}},"do":{"status":501}}]}`)
	f("delay=1ms", 200, "Mock response")
	if status, _ := s.call("POST", chatPath, chatBody("x", ""), "X-Tenant", "a"); status != 501 {
		t.Errorf("a rule for the model and a header: %d", status)
	}
	if status, _ := s.call("POST", "/mock/faults", "", "X-Mock-Fault", "status=500"); status != 405 {
		t.Errorf("the mock's own paths: %d", status)
	}
}

func TestConnectionsAreRefused(t *testing.T) {
	s := start(t, "--mock-clock", "virtual")
	s.chat("x", "")
	addr := strings.TrimPrefix(s.url, "http://")
	s.call("PUT", "/mock/faults", `{"rules":[{"match":{"window":{"at":"30s","for":"10s"}},"do":{"refuse":true}}]}`)
	dial := func() error {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
		if err == nil {
			err = conn.Close()
		}
		return err
	}
	f := func(refused bool) {
		t.Helper()
		for i := 0; ; i++ {
			err := dial()
			if errors.Is(err, syscall.ECONNREFUSED) == refused && (err != nil) == refused {
				return
			}
			if i == 10_000 {
				t.Fatalf("%v, refused should be %t", err, refused)
			}
			s.call("GET", "/mock/clock", "") // on the connection that there is
		}
	}
	f(false)
	s.call("POST", "/mock/clock?advance=31s", "")
	f(true)
	s.chat("on the connection that there is", "")
	s.call("POST", "/mock/clock?advance=10s", "")
	f(false)
}

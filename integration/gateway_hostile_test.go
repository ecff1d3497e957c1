package integration

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/mockvllmtest"
)

// What is hostile or broken is refused in the API's own form, and none of it reaches a model.
func TestGatewayRefusesHostileRequests(t *testing.T) {
	t.Parallel()
	mock, f := mockvllmtest.Start(t), newFeed(t)
	f.publish(t, served("m", mock.URL), served("n", mock.URL))
	deep := strings.Repeat(`{"a":[`, 20_000)
	for _, d := range doors(t, f, "GATEWAY_MAX_BODY_BYTES=1000000") {
		t.Run(d.protocol, func(t *testing.T) {
			refused := func(name string, status int, code, path string, body io.Reader, header ...string) {
				t.Helper()
				resp, err := d.client.Do(d.request(t, http.MethodPost, path, body, header...))
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				defer resp.Body.Close()
				text, err := io.ReadAll(resp.Body)
				if err != nil || resp.StatusCode != status || !strings.Contains(string(text), `"code":"`+code+`"`) || !strings.Contains(string(text), `"message":"`) {
					t.Errorf("%s: %d %s, %v; want %d %s", name, resp.StatusCode, text, err, status, code)
				}
			}
			asText := func(name, code, body string) {
				t.Helper()
				refused(name, http.StatusBadRequest, code, "/v1/chat/completions", strings.NewReader(body))
			}
			large := `{"model":"m","messages":"` + strings.Repeat("x", 2_000_000) + `"}`
			refused("a large body", http.StatusRequestEntityTooLarge, "body_too_large", chatOfM, strings.NewReader(large))
			refused("a large body that does not say so", http.StatusRequestEntityTooLarge, "body_too_large", chatOfM, struct{ io.Reader }{strings.NewReader(large)})
			asText("deep nesting", "invalid_json", `{"model":"m","messages":`+deep)
			asText("deep nesting, closed", "invalid_json", `{"model":"m","messages":`+deep+`0`+strings.Repeat("]}", 20_000)+`}`)
			asText("two models", "duplicate_model", `{"model":"m","model":"n"}`)
			asText("two models, one escaped", "duplicate_model", `{"model":"m","mod\u0065l":"n"}`)
			asText("a model that is no text", "model_required", `{"model":{"m":1}}`)
			asText("invalid UTF-8", "invalid_json", "{\"model\":\"m\xff\"}")
			asText("half a letter", "invalid_json", "{\"model\":\"m\",\"messages\":\"\xc3\"}")
			asText("a letter in two ways", "invalid_json", "{\"model\":\"m\",\"messages\":\"\xc0\xaf\"}")
			asText("two values", "invalid_json", `{"model":"m"}{"model":"n"}`)
			asText("no object", "invalid_json", `["model","m"]`)
			asText("half an object", "invalid_json", `{"model":"m"`)
			asText("nothing", "invalid_json", ``)
			refused("line breaks in the path", http.StatusNotFound, "model_not_found", "/llm/m%0d%0aX-Evil:%201/chat/completions", strings.NewReader(oneWord))
			refused("no time", http.StatusBadRequest, "invalid_timeout", chatOfM, strings.NewReader(oneWord), "X-Request-Timeout", "-1")
			refused("no number", http.StatusBadRequest, "invalid_priority", chatOfM, strings.NewReader(oneWord), "X-Fluidmcp-Priority", "1e400")
			resp, err := d.client.Do(d.request(t, http.MethodPost, chatOfM, strings.NewReader(oneWord), "X-Large", strings.Repeat("x", 100_000)))
			if err == nil { // a client of HTTP/2 learns the limit from the server and does not even send
				resp.Body.Close()
			}
			if err == nil && resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge || err != nil && d.protocol == "HTTP/1.1" {
				t.Errorf("a large header: %v, %v", resp, err)
			}
			if n := mock.Stats(); n.Requests != 0 || n.InFlight != 0 {
				t.Errorf("the model was asked: %+v", mock.Requests())
			}
			d.ask(t, http.MethodPost, chatOfM, oneWord).want(t, http.StatusOK)
			mock.WaitRequests(1)
			mock.Forget()
		})
	}
}

// An id of a client goes to the model, into the answer's id and into the log. One that could break out of any is replaced.
func TestGatewayReplacesHostileIDs(t *testing.T) {
	t.Parallel()
	mock, f := mockvllmtest.Start(t), newFeed(t)
	f.publish(t, served("m", mock.URL))
	for _, d := range doors(t, f) {
		for _, id := range []string{"a%0d%0aX-Evil: 1", "a b", `a"b`, "a\tb", "../../etc", "é", strings.Repeat("x", 200), "<script>"} {
			a := d.ask(t, http.MethodPost, chatOfM, oneWord, "X-Request-Id", id).want(t, http.StatusOK)
			r := mock.WaitRequests(1)[0]
			mock.Forget()
			if got := a.header.Get("X-Request-Id"); len(got) != 16 || r.RequestID != got || r.Header["X-Evil"] != nil || a.header["X-Evil"] != nil {
				t.Errorf("%s: id %q became %q in the answer and %q at the model: %v", d.protocol, id, got, r.RequestID, r.Header)
			}
		}
	}
}

// A request that two servers could read in two ways is refused, and what hides in it is no request.
func TestGatewayRefusesSmuggling(t *testing.T) {
	t.Parallel()
	mock, f := mockvllmtest.Start(t), newFeed(t)
	f.publish(t, served("m", mock.URL))
	g := startFed(t, f)
	hidden := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", chatOfM, len(oneWord), oneWord)
	head := "POST " + chatOfM + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	for name, text := range map[string]string{
		"length and chunks":          head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
		"chunks and length":          head + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + hidden,
		"two lengths":                head + "Content-Length: 0\r\nContent-Length: 9\r\n\r\n" + hidden,
		"a list of lengths":          head + "Content-Length: 0, 9\r\n\r\n" + hidden,
		"a length with a sign":       head + "Content-Length: +0\r\n\r\n" + hidden,
		"a length below zero":        head + "Content-Length: -1\r\n\r\n" + hidden,
		"a length that is no number": head + "Content-Length: 0x0\r\n\r\n" + hidden,
		"an endless length":          head + "Content-Length: 99999999999999999999\r\n\r\n" + hidden,
		"another coding":             head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden,
		"two codings":                head + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + hidden,
		"chunked twice":              head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
		"a coding in disguise":       head + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + hidden,
		"a space before the colon":   head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden,
		"a folded line":              head + "X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
		"a bare line feed":           head + "X-A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
		"a bare carriage return":     head + "X-A: b\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
		"a zero byte":                head + "X-A: \x00\r\n\r\n" + hidden,
		"a size below zero":          head + "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + hidden,
		"a size with a prefix":       head + "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + hidden,
		"an endless size":            head + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + hidden,
		"a chunk without its end":    head + "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n" + hidden,
		"a size ended by line feed":  head + "Transfer-Encoding: chunked\r\n\r\n1\n{\r\n0\r\n\r\n" + hidden,
		"no host":                    strings.Replace(head, "Host: x\r\n", "", 1) + "Content-Length: 0\r\n\r\n" + hidden,
		"two hosts":                  head + "Host: y\r\nContent-Length: 0\r\n\r\n" + hidden,
		"HTTP/1.0 with chunks":       strings.Replace(head, "1.1", "1.0", 1) + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
		"another version":            strings.Replace(head, "1.1", "2.1", 1) + "Content-Length: 0\r\n\r\n" + hidden,
		"a tunnel":                   "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n" + hidden,
	} {
		conn := g.raw(t, text)
		in := bufio.NewReader(conn)
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Errorf("%s: no answer: %v", name, err)
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode/100 == 2 || resp.StatusCode == http.StatusInternalServerError || !strings.Contains(string(body), `"message":"`) {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
		if rest, _ := io.ReadAll(in); len(rest) > 0 { // a reset is an end too
			t.Errorf("%s: a second answer: %s", name, rest)
		}
	}
	if n := mock.Stats(); n.Requests != 0 || n.InFlight != 0 {
		t.Errorf("the model was asked: %+v", mock.Requests())
	}
}

// A client that sends its header or its body byte by byte loses its connection, and holds nothing that others need.
func TestGatewayEndsSlowSenders(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: it waits for the gateway's patience, up to a minute")
	}
	mock, f := mockvllmtest.Start(t), newFeed(t)
	m := served("m", mock.URL)
	m.Limits.Inflight, m.Limits.Queue = 1, 1
	f.publish(t, m)
	g := startFed(t, f)
	head := "POST " + chatOfM + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	ended := make(chan string)
	slow := map[string]string{"header": head, "body": head + "Content-Length: 100000\r\n\r\n{", "chunks": head + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", "handshake": ""}
	for name, begin := range slow {
		conn := g.raw(t, begin)
		drip := map[string]string{"header": "x", "body": " ", "chunks": "1\r\n \r\n", "handshake": ""}[name]
		go func() { // ends with the connection
			ticks := time.NewTicker(200 * time.Millisecond)
			defer ticks.Stop()
			for range ticks.C {
				if _, err := io.WriteString(conn, drip); err != nil || drip == "" {
					return
				}
			}
		}()
		go func() {
			answered, _ := io.ReadAll(conn) // a reset is an end too
			conn.Close()
			status, _, _ := strings.Cut(string(answered), "\r\n")
			ended <- name + ": " + status
		}()
	}
	d := newDoor(t, g, "HTTP/1.1", nil, func(p *http.Protocols) { p.SetHTTP1(true) })
	for range 20 { // beside them, at a model that takes one request at a time
		d.ask(t, http.MethodPost, chatOfM, oneWord).want(t, http.StatusOK)
	}
	deadline := time.After(2 * patience)
	for range slow {
		select {
		case how := <-ended:
			if strings.Contains(how, "200") {
				t.Error(how)
			}
			t.Log(how)
		case <-deadline:
			t.Fatal("some are still connected")
		}
	}
	if n := mock.Stats(); n.Requests != 20 {
		t.Errorf("the model was asked: %+v", n)
	}
}

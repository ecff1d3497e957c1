package integration

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/mockvllmtest"
)

// groups are the frames of a stream. Those of one group leave the server without a pause, and all of them have to be at the
// client before the server goes on.
var groups = func() [][]string {
	data := func(text string) string {
		return fmt.Sprintf("data: {\"choices\":[{\"delta\":{\"content\":%q}}]}\n\n", text)
	}
	large := "data: {\"choices\":[{\"delta\":{\"content\":\"" + strings.Repeat("grüße 👋 ", 80_000) + "\"}}]}\n\n" // over a megabyte
	crlf := strings.ReplaceAll(data("with CRLF"), "\n", "\r\n")
	return [][]string{{data("a")}, {": a comment\n\n"}, {data("ä"), data("日本"), data("👋")}, {crlf}, {crlf, data("mixed"), crlf},
		{"event: ping\nid: 7\nretry: 10\ndata: {}\n\n"}, {"data: {\"a\":\ndata: 1}\n\n"}, {large}, {data("b"), large, data("c")}, {":\n\n", data("d")},
		{"data: [DONE]\n\n"}}
}()

// choppy is a server that answers each request with the groups, cut into pieces that have nothing to do with frames, letters
// or HTTP chunks. It sends the next group when told so.
func choppy(t *testing.T, seed uint64, next <-chan bool) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				answerChoppy(conn, rand.New(rand.NewPCG(seed, 0)), next)
			}()
		}
	}()
	return "http://" + ln.Addr().String()
}

func answerChoppy(conn net.Conn, chance *rand.Rand, next <-chan bool) {
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		if req.Method != http.MethodPost { // a probe
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			continue
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
		for i, group := range groups {
			if i > 0 && !<-next {
				return
			}
			for rest := strings.Join(group, ""); rest != ""; {
				n := min(len(rest), 1+chance.IntN(1<<chance.IntN(18)))
				text := fmt.Sprintf("%x\r\n%s\r\n", n, rest[:n])
				rest = rest[n:]
				cut := chance.IntN(len(text)) // a segment of its own for each half
				_, _ = io.WriteString(conn, text[:cut])
				_, _ = io.WriteString(conn, text[cut:])
			}
		}
		_, _ = io.WriteString(conn, "0\r\n\r\n")
	}
}

// However a server cuts its stream, the client gets its bytes, each frame as soon as it is whole.
func TestGatewayStreamsByteForByte(t *testing.T) {
	t.Parallel()
	next := make(chan bool)
	f := newFeed(t)
	all := doors(t, f)
	for seed := range uint64(4) {
		f.publish(t, served("m", choppy(t, seed, next)))
		f.await(t, all[0].gatewayProcess, all[2].gatewayProcess)
		for _, d := range all {
			t.Run(fmt.Sprintf("%s, seed %d", d.protocol, seed), func(t *testing.T) {
				resp, err := d.client.Do(d.request(t, http.MethodPost, chatOfM, strings.NewReader(endless(true))))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				in := bufio.NewReader(resp.Body)
				for i, group := range groups {
					if i > 0 {
						next <- true
					}
					want := strings.Join(group, "")
					got := make([]byte, len(want))
					if n, err := io.ReadFull(in, got); err != nil || string(got) != want {
						t.Fatalf("group %d: %d bytes, %v: %.200q, want %.200q", i, n, err, got[:n], want)
					}
				}
				if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
					t.Errorf("behind the end: %q, %v", rest, err)
				}
			})
		}
	}
}

// BenchmarkFirstToken asks a server by itself and through the gateway, in turns. The server takes 20 ms to its first token; the ratio
// of the medians is what the gateway costs. The 99th percentiles need some hundred turns to mean anything.
//
//	go test ./integration -run '^$' -bench FirstToken -benchtime 500x
func BenchmarkFirstToken(b *testing.B) {
	mock := mockvllmtest.Start(b, mockvllmtest.Latency(20*time.Millisecond, time.Millisecond))
	f := newFeed(b)
	f.publish(b, served("m", mock.URL))
	g := startGateway(b, quickGateway, f.URL)
	f.await(b, g)
	through := newDoor(b, g, "HTTP/1.1", nil, func(p *http.Protocols) { p.SetHTTP1(true) })
	direct := &door{gatewayProcess: &gatewayProcess{url: mock.URL}, client: mock.Client()}
	var alone, added []time.Duration
	for b.Loop() {
		wait, _ := direct.firstToken(b, "/v1/chat/completions", user("Hello"))
		alone = append(alone, wait)
		wait, _ = through.firstToken(b, chatOfM, user("Hello"))
		added = append(added, wait)
	}
	slices.Sort(alone)
	slices.Sort(added)
	before, after := alone[len(alone)/2], added[len(added)/2]
	b.ReportMetric(float64(after)/float64(before), "times-direct")
	b.ReportMetric(float64((after - before).Microseconds()), "added-µs")
	last := len(alone) * 99 / 100
	b.ReportMetric(float64((added[last] - alone[last]).Microseconds()), "added-p99-µs")
}

package integration

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/mockvllmtest"
)

// A gateway that is told to stop says so at once, serves what still comes for a while, lets what runs end, and tells the rest that
// it is interrupted. Where the machine has too much else to do for what has to come within these times, it is given more.
func TestGatewayDrains(t *testing.T) {
	t.Parallel()
	mock := mockvllmtest.Start(t, mockvllmtest.VirtualClock(), mockvllmtest.Latency(time.Second, time.Second), mockvllmtest.Answers("random"))
	f := newFeed(t)
	f.publish(t, served("m", mock.URL))
	for _, protocol := range []string{"HTTP/1.1", "TLS HTTP2"} {
		t.Run(protocol, func(t *testing.T) {
			for limit := 6 * time.Second; ; limit *= 5 {
				setting := limit.String()
				all := doors(t, f, "GATEWAY_STOP_GRACE="+setting, "GATEWAY_DRAIN_TIMEOUT="+setting)
				d := all[slices.IndexFunc(all, func(d *door) bool { return d.protocol == protocol })]
				if d.drains(t, mock, limit) {
					break
				}
				t.Logf("%s were not enough", limit)
			}
		})
	}
}

// drains has a gateway stop whose grace and whose drain last as long as limit. It is false when the test itself took longer than one of them.
func (d *door) drains(t *testing.T, mock *mockvllmtest.Server, limit time.Duration) bool {
	t.Helper()
	const chunks = 8
	open := func(tokens int) *http.Response {
		body := strings.Replace(endless(true), "20000", fmt.Sprint(tokens), 1)
		resp, err := d.client.Do(d.request(t, http.MethodPost, chatOfM, strings.NewReader(body)))
		if err != nil {
			t.Error(err)
			return nil
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	opened := make(chan *http.Response, 2)
	go func() { opened <- open(chunks); opened <- open(20000) }()
	awaitRunning(t, mock, 1)
	mock.Advance(time.Second)
	short := <-opened
	awaitRunning(t, mock, 2)
	mock.Advance(time.Second)
	long := <-opened
	if short == nil || long == nil {
		t.FailNow()
	}

	told := time.Now()
	if err := d.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	late := func(after time.Duration) bool {
		if time.Since(told) < after {
			return false
		}
		<-d.exited
		mock.WaitInFlight(0)
		return true
	}
	eventually(t, func() error {
		if a, err := d.try(t, http.MethodGet, "/ready", ""); err == nil && a.status != http.StatusServiceUnavailable {
			return fmt.Errorf("/ready: %d", a.status)
		}
		return nil
	})
	a, err := d.try(t, http.MethodGet, "/llm/m/models", "")
	if late(limit) {
		return false
	}
	if err != nil || a.status != http.StatusOK {
		t.Errorf("a new request: %d %s, %v", a.status, a.body, err)
	}
	eventually(t, func() error {
		conn, err := net.Dial("tcp", d.addr)
		if err == nil {
			conn.Close()
			return errors.New("it still listens")
		}
		return nil
	})
	select {
	case <-d.exited:
		if !late(2 * limit) {
			t.Fatal("it did not wait for what runs")
		}
		return false
	default:
	}
	for range chunks {
		mock.Advance(time.Second)
	}
	complete, err := io.ReadAll(short.Body)
	if late(2 * limit) {
		return false
	}
	if err != nil || !strings.HasSuffix(string(complete), "data: [DONE]\n\n") {
		t.Errorf("what could end did not: %q, %v", complete, err)
	}
	rest, err := io.ReadAll(long.Body)
	if err != nil || !strings.Contains(string(rest), `"code":"stream_interrupted"`) || strings.Contains(string(rest), "[DONE]") {
		t.Errorf("what could not end: %q, %v", rest, err)
	}
	<-d.exited
	if d.err != nil {
		t.Errorf("it ended with %v", d.err)
	}
	mock.WaitInFlight(0)
	return true
}

// Two gateways are replaced one after the other, twice, behind a third one that has them as servers of a model. Not one of the
// requests that come meanwhile fails.
func TestGatewaysAreRolled(t *testing.T) {
	t.Parallel()
	mock := mockvllmtest.Start(t, mockvllmtest.Latency(5*time.Millisecond, 5*time.Millisecond), mockvllmtest.Answers("random"),
		mockvllmtest.Config(func(c *mockvllm.Config) { c.ShutdownTimeout = time.Minute }))
	inner, outer := newFeed(t), newFeed(t)
	inner.publish(t, served("mock-model", mock.URL))
	ports := freePorts(t, 2)
	env := func(i int) []string {
		return []string{fmt.Sprintf("GATEWAY_ADDR=127.0.0.1:%d", ports[i]), "GATEWAY_STOP_GRACE=500ms", "GATEWAY_DRAIN_TIMEOUT=1m"}
	}
	rolled := []*gatewayProcess{startFed(t, inner, env(0)...), startFed(t, inner, env(1)...)}
	outer.publish(t, served("m", rolled[0].url, rolled[1].url))
	front := newDoor(t, startFed(t, outer, "GATEWAY_PROBE_INTERVAL=1s"), "HTTP/1.1", nil, func(p *http.Protocols) { p.SetHTTP1(true) })

	var answered, failed atomic.Int64
	var workers sync.WaitGroup
	stop := make(chan struct{})
	for n := range 8 {
		workers.Go(func() {
			body := strings.Replace(endless(n%2 == 0), "20000", fmt.Sprint(5+10*n), 1)
			for {
				select {
				case <-stop:
					return
				default:
				}
				a, err := front.try(t, http.MethodPost, chatOfM, body)
				whole := n%2 == 1 || strings.HasSuffix(string(a.body), "data: [DONE]\n\n")
				if err != nil || a.status != http.StatusOK || !whole {
					failed.Add(1)
					t.Errorf("%d %s %v", a.status, a.body, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	more := func() { // so that each state meets requests
		t.Helper()
		begin := answered.Load()
		eventually(t, func() error {
			if n := answered.Load() - begin; n < 30 && failed.Load() == 0 {
				return fmt.Errorf("%d answers", n)
			}
			return nil
		})
	}
	for range 2 {
		for i, old := range rolled {
			more()
			old.end(t, syscall.SIGTERM)
			if old.err != nil {
				t.Errorf("gateway %d ended with %v", i, old.err)
			}
			more()
			rolled[i] = startFed(t, inner, env(i)...)
			front.awaitSum(t, 2, "fluidmcp_backend_up", "model", "m") // else nobody is left when the other one goes
		}
	}
	more()
	close(stop)
	workers.Wait()
	t.Logf("%d requests answered, %d failed", answered.Load(), failed.Load())
	if n := mock.Stats().Aborted; n.Client != 0 {
		t.Errorf("the model server saw %d requests left", n.Client)
	}
}

package integration

import (
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
)

const each = 30 // plain requests of a scenario, and as many streams

// disasters happen between the gateway and its servers. Each leaves nothing behind.
var disasters = []struct {
	name string
	run  func(t *testing.T, c *chaos)
}{
	{"a server refuses connections", serverRefuses},
	{"a server resets connections before it has read a request", requestsReset},
	{"a server resets connections instead of answering", answersReset},
	{"kept connections turn out to be closed", connectionsStale},
	{"a server does not complete connections", connectionsUnanswered},
	{"a server swallows everything", blackhole},
	{"a server accepts connections and is silent", halfOpen},
	{"answers end early", answersCut},
	{"connections close late", slowClose},
	{"answers come byte by byte", trickle},
	{"one of three is killed under 200 requests", killedUnderLoad},
	{"all servers are gone and come back", allGone},
}

// TestChaos lets everything happen to one gateway, one after another.
func TestChaos(t *testing.T) {
	t.Parallel()
	c := startChaos(t, chaosOptions{})
	for _, d := range disasters {
		t.Run(d.name, func(t *testing.T) {
			c.before = c.scrape(t, c.gateway)
			defer c.settle(t)
			defer c.heal(t)
			d.run(t, c)
		})
	}
}

func serverRefuses(t *testing.T, c *chaos) {
	c.proxies[0].Stop()
	c.unharmed(t)
}

func requestsReset(t *testing.T, c *chaos) {
	c.poison(t, 0, "upstream", "reset_peer", `"timeout": 0`)
	c.unharmed(t)
}

// answersReset is no failure for anybody: of an answer of which no byte went to the client, another server can be asked.
func answersReset(t *testing.T, c *chaos) {
	c.poison(t, 0, "downstream", "reset_peer", `"timeout": 0`)
	c.unharmed(t)
}

func connectionsStale(t *testing.T, c *chaos) {
	for range 3 {
		c.traffic(t, 10).allWhole(t)
		for _, proxy := range c.proxies {
			proxy.Stop()
		}
		c.heal(t)
	}
	c.traffic(t, 10).allWhole(t)
}

// connectionsUnanswered fills the backlog of a listener, so that the system leaves further attempts without an answer. Only the
// timeout for connecting tells, and then another server is asked.
func connectionsUnanswered(t *testing.T, c *chaos) {
	address, end := c.replace(t, 0, 0)
	defer end()
	first, err := net.Dial("tcp", address) // a backlog of 0 has room for one
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	c.impatient(t)
	c.unharmed(t)
}

func blackhole(t *testing.T, c *chaos) {
	c.poison(t, 0, "downstream", "timeout", `"timeout": 0`)
	c.silence(t)
}

func halfOpen(t *testing.T, c *chaos) {
	_, end := c.replace(t, 0, 1024)
	defer end()
	c.silence(t)
}

// silence is what clients see while a server has their requests and says nothing: some get an error, because their request may
// be worked on and must not be done twice. Once the gateway has learned, nobody does.
func (c *chaos) silence(t *testing.T) {
	t.Helper()
	c.impatient(t)
	got := c.traffic(t, each)
	only(t, "plain requests", got.plain, whole, refused)
	only(t, "streams", got.streams, whole, refused)
	eventuallyWithin(t, recovery, func() error {
		if up := c.serversUp(t); up != c.servers-1 {
			return fmt.Errorf("%v servers are up", up)
		}
		return nil
	})
	c.traffic(t, each).allWhole(t)
}

// answersCut closes each connection of a server after part of a stream.
func answersCut(t *testing.T, c *chaos) {
	c.poison(t, 0, "downstream", "limit_data", `"bytes": 900`)
	c.interrupted(t, whole)
}

// interrupted sends traffic until a stream has met the broken server. None does while the gateway spares that server, nor when its
// connection ends before the first token, because another server is asked then. plain is how requests that are not streamed may end.
func (c *chaos) interrupted(t *testing.T, plain ...outcome) {
	t.Helper()
	eventuallyWithin(t, recovery, func() error {
		got := c.traffic(t, each)
		only(t, "plain requests", got.plain, plain...)
		only(t, "streams", got.streams, whole, interrupted)
		if got.streams[interrupted] == 0 {
			return fmt.Errorf("no stream was interrupted: %+v", got)
		}
		return nil
	})
}

// slowClose is no matter while answers have an end of their own. One that is cut is found out by its silence.
func slowClose(t *testing.T, c *chaos) {
	c.poison(t, 0, "downstream", "slow_close", `"delay": 600000`)
	c.traffic(t, each).allWhole(t)

	c.impatient(t)
	c.faults(t, "mock-0", `{"rules": [{"match": {"path": "/v1/chat/completions"}, "do": {"cut": 3}}]}`)
	c.interrupted(t, whole, refused)
}

func trickle(t *testing.T, c *chaos) {
	for i := range c.proxies {
		c.poison(t, i, "downstream", "slicer", `"average_size": 1, "size_variation": 0, "delay": 0`)
	}
	c.traffic(t, each).allWhole(t)
}

// killedUnderLoad kills one of three servers while 100 streams have begun and 100 plain requests wait for their answer. Where the first has
// ended before the last has begun, because the machine has much else to do, it tries again with longer ones.
func killedUnderLoad(t *testing.T, c *chaos) {
	for tokens := 400; !c.killedAmong(t, tokens); tokens *= 3 { // twenty seconds
		t.Logf("answers of %d tokens do not last until all have begun", tokens)
	}
}

// killedAmong does so with answers of so many tokens, unless they were too short.
func (c *chaos) killedAmong(t *testing.T, tokens int) (enough bool) {
	t.Helper()
	const half = 100
	before := c.scrape(t, c.gateway)
	pid := c.status(t, "mock-1").Instances[0].PID
	streams, plain := make(chan outcome, half), make(chan outcome, half)
	var begun sync.WaitGroup
	begun.Add(half)
	for i := range half {
		go func() { streams <- c.streamed(t, fmt.Sprintf("Stream %d", i), tokens, begun.Done) }()
	}
	begun.Wait()
	for i := range half {
		go func() { plain <- c.plain(t, fmt.Sprintf("Request %d", i), tokens) }()
	}
	eventually(t, func() error {
		running := 0.0
		for _, mock := range c.mocks {
			running += c.scrape(t, mock).sum("vllm:num_requests_running")
		}
		if enough = running == 2*half; !enough && len(streams)+len(plain) == 0 {
			return fmt.Errorf("%v requests run", running)
		}
		return nil
	})
	if enough {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	got := tally{map[outcome]int{}, map[outcome]int{}}
	for range half {
		got.streams[<-streams]++
		got.plain[<-plain]++
	}
	t.Logf("outcomes: %+v", got)
	if !enough {
		got.allWhole(t)
		return t.Failed()
	}
	only(t, "plain requests", got.plain, whole)
	only(t, "streams", got.streams, whole, interrupted)
	if n := got.streams[interrupted]; n == 0 || n == half {
		t.Errorf("%d streams were interrupted by the end of one of three servers", n)
	}
	c.awaitGrowth(t, before, float64(got.streams[interrupted]), "fluidmcp_streams_total", "model", trio, "outcome", "interrupted")
	c.waitPhase(t, "mock-1", "ready")
	return true
}

func allGone(t *testing.T, c *chaos) {
	for _, proxy := range c.proxies {
		proxy.Stop()
	}
	got := c.traffic(t, each)
	only(t, "plain requests", got.plain, refused)
	only(t, "streams", got.streams, refused)
	c.heal(t)
	eventuallyWithin(t, recovery, func() error { return c.ask(t, trio) })
	c.traffic(t, each).allWhole(t)
}

// TestChaosOfQueues lets six requests through at a time, so that the others wait while a server is gone.
func TestChaosOfQueues(t *testing.T) {
	t.Parallel()
	c := startChaos(t, chaosOptions{limits: map[string]any{"inflight": 6, "queue": 200, "queue_timeout": 120}})
	c.before = c.scrape(t, c.gateway)
	c.proxies[0].Stop()
	c.unharmed(t)
	if waited := "fluidmcp_queue_wait_seconds"; c.scrape(t, c.gateway).sum(waited) == c.before.sum(waited) {
		t.Error("nobody waited")
	}
	c.heal(t)
	c.settle(t)
}

// TestChaosOfNames has a server whose name does not exist.
func TestChaosOfNames(t *testing.T) {
	t.Parallel()
	c := startChaos(t, chaosOptions{nameless: true})
	c.traffic(t, each).allWhole(t)
	c.settle(t)
}

// TestChaosOfLogs has no room for a single line of the log.
func TestChaosOfLogs(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("the system has no full device: ", err)
	}
	defer full.Close()
	c := startChaos(t, chaosOptions{stderr: full})
	c.traffic(t, each).allWhole(t)
	c.settle(t)
}

package gateway_test

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/gateway"
)

// nameServer is the address of the server that this process asks, "" for those of the machine.
var nameServer atomic.Value

// Before anything dials, so that nobody reads the resolver while it is changed.
var _ = func() bool {
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, usual string) (net.Conn, error) {
		if own, _ := nameServer.Load().(string); own != "" {
			network, usual = "udp", own
		}
		return new(net.Dialer).DialContext(ctx, network, usual)
	}}
	return true
}()

// names is a DNS server.
type names struct {
	conn net.PacketConn

	mu     sync.Mutex
	addrs  map[string]netip.Addr // by name, with a dot at the end
	silent bool
}

func newNames(t *testing.T) *names {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &names{conn: conn, addrs: map[string]netip.Addr{}}
	var done sync.WaitGroup
	done.Go(n.serve)
	nameServer.Store(conn.LocalAddr().String())
	t.Cleanup(func() {
		nameServer.Store("")
		conn.Close()
		done.Wait()
	})
	return n
}

// set makes a name lead to an address, and to none when that is "".
func (n *names) set(name, addr string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.addrs, name+".")
	if addr != "" {
		n.addrs[name+"."] = netip.MustParseAddr(addr)
	}
}

// hush makes it answer nobody.
func (n *names) hush(silent bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.silent = silent
}

func (n *names) serve() {
	buf := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer := n.answer(buf[:size]); answer != nil {
			_, _ = n.conn.WriteTo(answer, from) // who asked may be gone
		}
	}
}

func (n *names) answer(question []byte) []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 || n.silent {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	addr, known := n.addrs[q.Name.String()]
	switch {
	case !known:
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class},
			Body: &dnsmessage.AResource{A: addr.As4()}}}
	}
	packed, err := m.Pack()
	if err != nil {
		return nil
	}
	return packed
}

// named gives a backend's address by a name.
func (b *backend) named(t *testing.T, name string) string {
	t.Helper()
	return "http://" + net.JoinHostPort(name, port(t, b.URL))
}

// TestNameVanishes: the name of the only backend is gone while it is in use, and comes back for another address. What is connected
// goes on; what has to connect fails until the name is there, and then finds the new address at once.
func TestNameVanishes(t *testing.T) {
	const name = "llm.test"
	dns := newNames(t)
	dns.set(name, "127.0.0.1")
	goOn := make(chan struct{})
	old := newBackend(t, func(c *exchange) {
		if strings.Contains(c.body, `"stream"`) {
			c.write(streamHead, chunk(helloFrame))
			<-goOn
			c.write(chunk(doneFrame), "0\r\n\r\n")
			return
		}
		vllm(c)
	})
	f := start(t, func(c *gateway.Config) { c.ProbeInterval = time.Hour }, model("m", old.named(t, name)))
	const chat = "/llm/m/chat/completions"
	want := func(status int) {
		t.Helper()
		a := f.post(chat, hello)
		if a.status != status || status != 200 && a.code() != "upstream_unreachable" {
			t.Fatalf("%d %s, want %d", a.status, a.body, status)
		}
	}
	stream := f.ask(1, chat, chatStream)
	await(t, "the stream", func() bool { return len(old.requests()) == 1 })
	onceKept := func() int {
		dns.set(name, "127.0.0.1")
		want(200)
		dns.set(name, "")
		return f.post(chat, hello).status
	}
	late := 0.0 // a connection is kept for seconds, in which a busy machine may stand still
	for onceKept() != 200 {
		if late++; late == 5 {
			t.Fatal("the kept connection is not used")
		}
	}
	close(goOn)
	if a := <-stream; a.status != 200 || !strings.HasSuffix(a.body, doneFrame) {
		t.Errorf("the stream: %d %s", a.status, a.body)
	}
	old.kill()
	for range 3 {
		want(502)
	}
	f.awaitMetric(`fluidmcp_backend_up{backend="m-0",model="m"}`, 0)
	f.awaitMetric(`fluidmcp_errors_total{model="m",reason="connect"}`, 3+late)
	if logs := f.logs.String(); !strings.Contains(logs, "lookup "+name) {
		t.Errorf("the log does not tell: %s", logs)
	}

	moved := newBackendAt(t, "127.0.0.2:"+port(t, old.URL), vllm)
	dns.set(name, "127.0.0.2")
	want(200)
	f.awaitMetric(`fluidmcp_backend_up{backend="m-0",model="m"}`, 1)
	f.awaitMetric(`fluidmcp_inflight_requests{model="m"}`, 0)
	f.awaitMetric(`fluidmcp_backend_connections{state="busy"}`, 0)
	if n := len(moved.requests()); n != 1 {
		t.Errorf("%d requests at the new address", n)
	}
}

// TestNameOfOneOfTwo: while the name of a backend is gone, or nobody says where it leads, the other one answers, and no client notices.
// The probes find out when it is back.
func TestNameOfOneOfTwo(t *testing.T) {
	const name = "llm.test"
	dns := newNames(t)
	named, other := newBackend(t, vllm), newBackend(t, vllm)
	for what, lose := range map[string]func(){"vanished": func() { dns.set(name, "") }, "unanswered": func() { dns.hush(true) }} {
		dns.set(name, "127.0.0.1")
		dns.hush(false)
		m := model("m", named.named(t, name), other.URL)
		m.Routing.Policy = fleet.RoundRobin
		f := start(t, func(c *gateway.Config) { c.ProbeInterval = 100 * time.Millisecond }, m)
		ask := func() {
			t.Helper()
			for range 6 {
				if a := f.post("/llm/m/chat/completions", hello); a.status != 200 {
					t.Errorf("%s: %d %s", what, a.status, a.body)
				}
			}
		}
		ask()
		lose()
		named.hangUp()
		ask()
		f.awaitMetric(`fluidmcp_backend_up{backend="m-0",model="m"}`, 0)
		before := len(named.requests())
		ask()
		if n := len(named.requests()); n != before {
			t.Errorf("%s: %d requests found it", what, n-before)
		}
		dns.set(name, "127.0.0.1")
		dns.hush(false)
		f.awaitMetric(`fluidmcp_backend_up{backend="m-0",model="m"}`, 1)
		await(t, "a request at the backend that is back", func() bool { ask(); return len(named.requests()) > before })
		if err := f.stop(); err != nil {
			t.Error(err)
		}
	}
}

func port(t *testing.T, base string) string {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

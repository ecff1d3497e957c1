package edge_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/edge"
)

func TestClients(t *testing.T) {
	here := networks(t, "127.0.0.1", "10.0.0.0/8", "2001:db8:1::/48")
	trusting := serve(t, web.Server{Handler: here.Clients(http.HandlerFunc(who))}, plain)
	strict := serve(t, web.Server{Handler: networks(t, "10.0.0.0/8").Clients(http.HandlerFunc(who))}, plain)
	ask := func(t *testing.T, addr string, headers []string) string {
		t.Helper()
		answer := exchange(t, addr, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+strings.Join(append(headers, "\r\n"), "\r\n"))
		_, body, _ := strings.Cut(answer, "\r\n\r\n")
		return body
	}
	f := func(name, want string, headers ...string) {
		t.Run(name, func(t *testing.T) {
			if got := ask(t, trusting, headers); got != want && !(strings.HasSuffix(want, ":") && strings.HasPrefix(got, want)) {
				t.Errorf("a trusted proxy tells %q, want %q", got, want)
			}
			if got := ask(t, strict, headers); !strings.HasPrefix(got, "127.0.0.1:") || !strings.HasSuffix(got, " http") {
				t.Errorf("anybody tells %q", got)
			}
		})
	}
	f("nothing", "127.0.0.1:")
	f("one address", "192.0.2.7:0 http", "X-Forwarded-For: 192.0.2.7")
	f("with a port", "192.0.2.7:4000 http", "X-Forwarded-For: 192.0.2.7:4000")
	f("IPv6", "[2001:db8::7]:0 http", "X-Forwarded-For: 2001:db8::7")
	f("IPv6 with brackets", "[2001:db8::7]:0 http", "X-Forwarded-For: [2001:db8::7]")
	f("IPv6 with a port", "[2001:db8::7]:4000 http", "X-Forwarded-For: [2001:db8::7]:4000")
	f("IPv4 within IPv6", "192.0.2.7:0 http", "X-Forwarded-For: ::ffff:192.0.2.7")
	f("what the client wrote", "192.0.2.7:0 http", "X-Forwarded-For: 198.51.100.1, 192.0.2.7")
	f("trusted proxies between", "192.0.2.7:0 http", "X-Forwarded-For: 198.51.100.1, 192.0.2.7, 10.1.1.1,2001:db8:1::2")
	f("several headers", "192.0.2.7:0 http", "X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 192.0.2.7, 10.1.1.1")
	f("all are trusted", "10.1.1.1:0 http", "X-Forwarded-For: 10.1.1.1, 10.2.2.2")
	f("no address", "127.0.0.1:", "X-Forwarded-For: unknown")
	f("no address before a trusted one", "10.1.1.1:0 http", "X-Forwarded-For: 192.0.2.7, unknown, 10.1.1.1")
	f("a zone", "127.0.0.1:", "X-Forwarded-For: fe80::1%eth0")
	f("Forwarded", "192.0.2.7:0 https", `Forwarded: for=198.51.100.1;proto=http, For="192.0.2.7";proto=https;by=10.1.1.1, for=10.1.1.1;proto=http`)
	f("Forwarded with IPv6", "[2001:db8::7]:4000 http", `Forwarded: for="[2001:db8::7]:4000"`)
	f("Forwarded that hides", "127.0.0.1:", "Forwarded: for=_secret;proto=https")
	f("a quoted comma", "127.0.0.1:", `Forwarded: for=198.51.100.1;host="a,for=_x"`)
	f("X-Forwarded-For comes first", "192.0.2.7:0 http", "X-Forwarded-For: 192.0.2.7", "Forwarded: for=198.51.100.1;proto=https", "X-Real-Ip: 198.51.100.1")
	f("X-Real-Ip", "192.0.2.7:0 http", "X-Real-Ip: 192.0.2.7")
	f("https", "192.0.2.7:0 https", "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: HTTPS")
	f("a list of schemes", "192.0.2.7:0 https", "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https, http")
	f("no scheme", "192.0.2.7:0 http", "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: gopher")
}

func TestParseNetworks(t *testing.T) {
	_, err := edge.ParseNetworks([]string{" 10.0.0.0/8", "::1", "proxy.example", "10.0.0.0/33", "::ffff:10.0.0.0/104", ""})
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("faults: %v", err)
	}
}

func TestProxyProtocol(t *testing.T) {
	const request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	// version 2, PROXY, TCP over IPv4, 12 bytes: 192.0.2.7:4000 to 127.0.0.1:80
	const binary = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + "\xc0\x00\x02\x07" + "\x7f\x00\x00\x01" + "\x0f\xa0" + "\x00\x50"
	handler := http.HandlerFunc(who)
	trusting := serve(t, web.Server{Handler: handler}, networks(t, "127.0.0.0/8").ProxyProtocol)
	strict := serve(t, web.Server{Handler: handler}, networks(t, "10.0.0.0/8").ProxyProtocol)
	f := func(name, addr, sent, want string) {
		t.Run(name, func(t *testing.T) {
			if got := exchange(t, addr, sent); !strings.Contains(got, want) || want == "" && got != "" {
				t.Errorf("answered %q, want %q", got, want)
			}
		})
	}
	const text = "PROXY TCP4 192.0.2.7 127.0.0.1 4000 80\r\n"
	f("version 1", trusting, text+request, "\r\n\r\n192.0.2.7:4000 ")
	f("version 1 with IPv6", trusting, "PROXY TCP6 2001:db8::7 ::1 4000 80\r\n"+request, "\r\n\r\n[2001:db8::7]:4000 ")
	f("version 1, unknown", trusting, "PROXY UNKNOWN\r\n"+request, "\r\n\r\n127.0.0.1:")
	f("version 2", trusting, binary+request, "\r\n\r\n192.0.2.7:4000 ")
	f("version 2, a health check", trusting, "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"+request, "\r\n\r\n127.0.0.1:")
	f("none", trusting, request, "\r\n\r\n127.0.0.1:")
	f("a broken one", trusting, "PROXY TCP4 nobody 127.0.0.1 4000 80\r\n"+request, "")
	f("version 1 of anybody", strict, text+request, "HTTP/1.1 400 ")
	f("version 2 of anybody", strict, binary+request, "HTTP/1.1 400 ")
	f("none of anybody", strict, request, "\r\n\r\n127.0.0.1:")
}

package edge

import (
	"net/http"
	"net/netip"
	"strings"
)

// claims are the headers by which a proxy tells about its client.
var claims = []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "X-Forwarded-Proto"}

// client is what is known about the sender of a request.
type client struct {
	addr   netip.AddrPort // invalid when nothing is told
	scheme string         // http or https; "" when nothing is told
}

// Clients lets next see the client behind trusted proxies as r.RemoteAddr (with port 0 where it is not told). X-Forwarded-Proto
// says http or https, as the client has asked; the other headers about clients are gone. What others than trusted proxies claim counts
// for nothing.
//
// The client is the last address in X-Forwarded-For that is no trusted proxy's: what stands before it, the client may have written
// itself. Without that header Forwarded (RFC 7239) is read in the same way, and then X-Real-Ip. So a proxy in front has to
// set or remove X-Forwarded-For when it speaks with another of these.
func (n Networks) Clients(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var told client
		if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && n.contain(peer.Addr()) {
			told = n.told(r.Header)
		}
		for _, name := range claims {
			delete(r.Header, name)
		}
		switch {
		case told.scheme != "":
		case r.TLS != nil:
			told.scheme = "https"
		default:
			told.scheme = "http"
		}
		r.Header["X-Forwarded-Proto"] = []string{told.scheme}
		if told.addr.IsValid() {
			r.RemoteAddr = told.addr.String()
		}
		next.ServeHTTP(w, r)
	})
}

// told is what a trusted proxy says.
func (n Networks) told(h http.Header) client {
	var c client
	if first, _, _ := strings.Cut(h.Get("X-Forwarded-Proto"), ","); isScheme(first) {
		c.scheme = strings.ToLower(strings.TrimSpace(first))
	}
	switch {
	case h["X-Forwarded-For"] != nil:
		c.addr, _ = n.last(strings.Split(strings.Join(h["X-Forwarded-For"], ","), ","))
	case h["Forwarded"] != nil:
		hops := strings.Split(strings.Join(h["Forwarded"], ","), ",")
		addrs := make([]string, len(hops))
		for i, hop := range hops {
			addrs[i] = parameter(hop, "for")
		}
		var at int
		if c.addr, at = n.last(addrs); at >= 0 && isScheme(parameter(hops[at], "proto")) {
			c.scheme = strings.ToLower(parameter(hops[at], "proto"))
		}
	default:
		c.addr, _ = address(h.Get("X-Real-Ip"))
	}
	return c
}

// last finds the last address that is no trusted proxy's, or the first of all when all are, and its place. It does not look
// beyond something that is no address: nobody vouches for what stands before.
func (n Networks) last(list []string) (found netip.AddrPort, at int) {
	at = -1
	for i := len(list) - 1; i >= 0; i-- {
		addr, ok := address(list[i])
		if !ok {
			break
		}
		found, at = addr, i
		if !n.contain(addr.Addr()) {
			break
		}
	}
	return found, at
}

// address reads what proxies write: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1], [2001:db8::1]:80.
func address(text string) (netip.AddrPort, bool) {
	text = strings.TrimSpace(text)
	if both, err := netip.ParseAddrPort(text); err == nil && both.Addr().Zone() == "" {
		return netip.AddrPortFrom(both.Addr().Unmap(), both.Port()), true
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		text = strings.TrimSuffix(inner, "]")
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(addr.Unmap(), 0), true
}

// parameter is the value of one parameter in an element of Forwarded. A quoted value has no comma or semicolon in the parameters
// that are read here, and an element that has one elsewhere yields no address and ends the search.
func parameter(element, name string) string {
	for pair := range strings.SplitSeq(element, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if strings.EqualFold(key, name) {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

func isScheme(text string) bool {
	text = strings.TrimSpace(text)
	return strings.EqualFold(text, "http") || strings.EqualFold(text, "https")
}

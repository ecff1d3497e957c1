package starlette

import (
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
)

// authority is what Starlette takes for a host, with a port or without.
var authority = regexp.MustCompile(`^(?i:[a-z0-9._~%!$&'()*+,;=-]+|\[(?:([a-f0-9]*:[a-f0-9.:]+)|(?-i:v)[a-f0-9]+\.[a-z0-9._~!$&'()*+,;=:-]+)\])(?::([0-9]+))?$`)

// host is the Host of a request where it is one, else the address that the request came to.
func host(r *http.Request) string {
	if isAuthority(r.Host) {
		return r.Host
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return r.Host
	}
	return local.String()
}

func isAuthority(text string) bool {
	m := authority.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	if m[1] != "" {
		if _, err := netip.ParseAddr(m[1]); err != nil {
			return false
		}
	}
	if m[2] == "" {
		return true
	}
	_, err := strconv.ParseUint(m[2], 10, 16)
	return err == nil
}

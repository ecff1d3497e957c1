package edge

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/pires/go-proxyproto"
)

// proxyPatience is how long a trusted proxy may take for the header of the PROXY protocol.
const proxyPatience = 5 * time.Second

// Networks are addresses whose word about clients is taken.
type Networks []netip.Prefix

// ParseNetworks reads networks (10.0.0.0/8) and single addresses, and reports all that are neither.
func ParseNetworks(list []string) (Networks, error) {
	var all Networks
	var faults []error
	for _, text := range list {
		text = strings.TrimSpace(text)
		network, err := netip.ParsePrefix(text)
		if addr, single := netip.ParseAddr(text); single == nil {
			network, err = netip.PrefixFrom(addr.Unmap().WithZone(""), addr.Unmap().BitLen()), nil
		}
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("trusted proxy %q: use an address or a network such as 10.0.0.0/8", text))
		case network.Addr().Is4In6():
			faults = append(faults, fmt.Errorf("trusted proxy %q: write the network in its IPv4 form", text))
		default:
			all = append(all, network.Masked())
		}
	}
	return all, errors.Join(faults...)
}

func (n Networks) contain(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, network := range n {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// ProxyProtocol makes the connections of ln say who the client is, when a trusted peer says so in a header of the PROXY
// protocol, version 1 or 2. A trusted peer may leave it out, as health checks do; what anybody else says in this way is not
// understood, so HTTP refuses it. (PROXY protocol specification, section 2: connections from elsewhere must not use it.)
func (n Networks) ProxyProtocol(ln net.Listener) net.Listener {
	return &proxyproto.Listener{Listener: ln, ReadHeaderTimeout: proxyPatience,
		ConnPolicy: func(c proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
			if peer, err := netip.ParseAddrPort(c.Upstream.String()); err == nil && n.contain(peer.Addr()) {
				return proxyproto.USE, nil
			}
			return proxyproto.SKIP, nil
		}}
}

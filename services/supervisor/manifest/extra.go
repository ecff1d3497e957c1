package manifest

import (
	"net"
	"net/url"
	"strconv"
)

// ExtraServer is one more server of a model with Surge, at another port of the same host.
func (m *Model) ExtraServer(port int) Instance {
	i := m.Instances[0]
	i.ID, i.Extra = m.ID+"-surge", true
	i.Run(i.Line().Replaced("--port", strconv.Itoa(port)))
	i.URL, i.Dial, i.Port = atPort(i.URL, port), atPort(i.Dial, port), port
	return i
}

func atPort(base string, port int) string {
	u, err := url.Parse(base)
	if err != nil { // it was made from one
		return base
	}
	u.Host = net.JoinHostPort(u.Hostname(), strconv.Itoa(port))
	return u.String()
}

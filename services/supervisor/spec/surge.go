package spec

import (
	"net"
	"net/url"
	"strconv"
)

// surge reads whether a restart may start one more server. fits is what holds without a word; settable tells whether the server
// can be given a port of its own.
func (e *entry) surge(fits, settable bool) {
	o := e.Child("rollout")
	e.model.Surge = fits && settable
	if o.Has("surge") {
		e.model.Surge = o.Yes("surge")
		if e.model.Surge && !settable {
			e.Add(o.At("surge"), "needs --port in args, so that one more server can be given its own")
		}
	}
}

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

package spec

import (
	"net"
	"net/url"
	"strconv"
)

// surge reads whether a restart may start one more server. fits is what holds without a word; settable tells whether the server
// can be given a port of its own.
func (e *entry) surge(fits, settable bool) {
	o := e.child("rollout")
	e.model.Surge = fits && settable
	if o.has("surge") {
		e.model.Surge = o.yes("surge")
		if e.model.Surge && !settable {
			e.add(o.at("surge"), "needs --port in args, so that one more server can be given its own")
		}
	}
}

// ExtraServer is one more server of a model with Surge, at another port of the same host.
func (m *Model) ExtraServer(port int) Instance {
	i := m.Instances[0]
	i.ID, i.Extra = m.ID+"-surge", true
	line := make(args, len(i.Argv))
	for n := range line {
		line[n] = word{i.Argv[n], i.shown[n]}
	}
	line = line.replaced("--port", strconv.Itoa(port))
	i.Argv, i.shown = line.values(), nil
	for _, w := range line {
		i.shown = append(i.shown, w.shown)
	}
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

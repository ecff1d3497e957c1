package spec

import (
	"regexp"
	"strconv"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// server is one of endpoints.servers.
type server struct {
	endpoint
	weight int
}

// where reads endpoints.
func (e *entry) where() {
	o := e.child(byEndpoints)
	one, several := o.has("base_url"), o.has("servers")
	switch {
	case one && several:
		e.add(o.path, "has base_url and servers; keep one of them")
	case e.has(byEndpoints) && e.fields[byEndpoints].Kind == document.Mapping && !one && !several:
		e.add(o.at("base_url"), `missing; give the address of the model server, such as "http://localhost:8001/v1"`)
	}
	e.base = o.endpoint("base_url")
	first := map[string]int{}
	for i, s := range o.objects("servers") {
		s.need("base_url", "the address of the server")
		at := s.endpoint("base_url")
		e.servers = append(e.servers, server{at, s.whole("weight")})
		if same, twice := first[at.dial()]; twice && at.host != "" {
			e.add(s.at("base_url"), "the same server as servers[%d]; give that one more weight instead", same)
			continue
		}
		first[at.dial()] = i
	}
}

// external plans servers that run elsewhere.
func (e *entry) external() {
	if e.model.Driver == External && e.model.Demand.Start {
		e.add(e.at("start"), "%s cannot start a server that runs elsewhere; use auto, or leave it out", onDemand)
	}
	if e.base.host != "" {
		e.servers = []server{{e.base, 1}}
	}
	for i, s := range e.servers {
		e.model.Instances = append(e.model.Instances, Instance{
			ID: e.model.ID + "-" + strconv.Itoa(i), URL: s.String(), Dial: s.dial(), Port: s.port, Weight: s.weight,
		})
	}
}

// remote plans containers or a Deployment.
func (e *entry) remote(form string) {
	if !e.has(byEndpoints) {
		e.add(e.at(byEndpoints), "missing; a model given by %s needs its base_url", form)
	}
	e.external()
	if form == byContainer {
		e.containers()
		return
	}
	d := e.child("deployment")
	d.need("name", "the Deployment's name")
	e.model.Deployment = Deployment{Name: d.text("name"), Namespace: d.text("namespace")}
}

// containerName is what Docker takes for one.
var containerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)

// containers brings each container and its address together.
func (e *entry) containers() {
	c := e.child(byContainer)
	names := []string{c.text("name")}
	switch one, several := c.has("name"), c.has("names"); {
	case one && several:
		e.add(c.path, "has name and names; keep one of them")
	case several:
		names = nil
		for _, w := range c.words("names") {
			names = append(names, w.value)
		}
	case !one:
		c.need("name", "the container's name")
	}
	first := map[string]bool{}
	for _, name := range names {
		switch {
		case name == "" && !c.has("names"): // a fault, reported already
		case !containerName.MatchString(name):
			e.add(c.path, "%q is not the name of a container: use letters, digits and _ . -", name)
		case first[name]:
			e.add(c.path, "%s is named already; keep one", name)
		}
		first[name] = true
	}
	if at := len(e.model.Instances); at == 0 {
		return // a fault, reported already
	} else if len(names) != at {
		e.add(c.path, "names %d containers, and endpoints has %d addresses; give each container one of endpoints.servers, in the same order", len(names), at)
		return
	}
	for n, name := range names {
		i := &e.model.Instances[n]
		i.Container, i.shown = name, []string{"container", name}
	}
}

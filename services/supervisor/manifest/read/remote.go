package read

import (
	"regexp"
	"strconv"

	"github.com/fluidmcp/fluidmcp/internal/document"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/fields"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// server is one of endpoints.servers.
type server struct {
	strict.Endpoint
	weight int
}

// where reads endpoints.
func (e *entry) where() {
	o := e.Child(fields.ByEndpoints)
	one, several := o.Has("base_url"), o.Has("servers")
	switch {
	case one && several:
		e.Add(o.Path, "has base_url and servers; keep one of them")
	case e.Has(fields.ByEndpoints) && e.Fields[fields.ByEndpoints].Kind == document.Mapping && !one && !several:
		e.Add(o.At("base_url"), `missing; give the address of the model server, such as "http://localhost:8001/v1"`)
	}
	e.base = o.Endpoint("base_url")
	first := map[string]int{}
	for i, s := range o.Objects("servers") {
		s.Need("base_url", "the address of the server")
		at := s.Endpoint("base_url")
		e.servers = append(e.servers, server{at, s.Whole("weight")})
		if same, twice := first[at.Dial()]; twice && at.Host != "" {
			e.Add(s.At("base_url"), "the same server as servers[%d]; give that one more weight instead", same)
			continue
		}
		first[at.Dial()] = i
	}
}

// external plans servers that run elsewhere.
func (e *entry) external() {
	if e.model.Driver == manifest.External && e.model.Demand.Start {
		e.Add(e.At("start"), "%s cannot start a server that runs elsewhere; use auto, or leave it out", fields.OnDemand)
	}
	if e.base.Host != "" {
		e.servers = []server{{e.base, 1}}
	}
	for i, s := range e.servers {
		e.model.Instances = append(e.model.Instances, manifest.Instance{
			ID: e.model.ID + "-" + strconv.Itoa(i), URL: s.String(), Dial: s.Dial(), Port: s.Port, Weight: s.weight,
		})
	}
}

// remote plans containers or a Deployment.
func (e *entry) remote(form string) {
	if !e.Has(fields.ByEndpoints) {
		e.Add(e.At(fields.ByEndpoints), "missing; a model given by %s needs its base_url", form)
	}
	e.external()
	if form == fields.ByContainer {
		e.containers()
		return
	}
	d := e.Child("deployment")
	d.Need("name", "the Deployment's name")
	e.model.Deployment = manifest.Deployment{Name: d.Text("name"), Namespace: d.Text("namespace")}
}

// containerName is what Docker takes for one.
var containerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)

// containers brings each container and its address together.
func (e *entry) containers() {
	c := e.Child(fields.ByContainer)
	names := []string{c.Text("name")}
	switch one, several := c.Has("name"), c.Has("names"); {
	case one && several:
		e.Add(c.Path, "has name and names; keep one of them")
	case several:
		names = nil
		for _, w := range c.Words("names") {
			names = append(names, w.Value)
		}
	case !one:
		c.Need("name", "the container's name")
	}
	first := map[string]bool{}
	for _, name := range names {
		switch {
		case name == "" && !c.Has("names"): // a fault, reported already
		case !containerName.MatchString(name):
			e.Add(c.Path, "%q is not the name of a container: use letters, digits and _ . -", name)
		case first[name]:
			e.Add(c.Path, "%s is named already; keep one", name)
		}
		first[name] = true
	}
	if at := len(e.model.Instances); at == 0 {
		return // a fault, reported already
	} else if len(names) != at {
		e.Add(c.Path, "names %d containers, and endpoints has %d addresses; give each container one of endpoints.servers, in the same order", len(names), at)
		return
	}
	for n, name := range names {
		e.model.Instances[n].Container = name
	}
}

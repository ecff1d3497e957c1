package spec

import (
	"regexp"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// forms are the ways to say what a model is, by the field that makes the form.
var forms = []struct {
	field  string
	driver Driver
}{{byCommand, Process}, {byModel, Process}, {byContainer, Docker}, {byDeployment, Kubernetes}}

// entry is one model on its way from the file to the plan.
type entry struct {
	*object
	model   Model
	base    endpoint // of endpoints.base_url; the zero value when it is not given
	servers []server // of endpoints.servers
}

func (r *reader) model(path, id string, n *node) Model {
	e := &entry{object: r.object(path, n, modelFields), model: Model{ID: id}}
	if n.Kind != document.Mapping {
		return e.model
	}
	r.checkID(path, id)
	e.shared()
	switch form := e.form(); form {
	case byCommand:
		e.command()
	case byModel:
		e.vllm()
	case byContainer, byDeployment:
		e.remote(form)
	case byEndpoints:
		e.external()
	}
	return e.model
}

// form finds the one form of the entry, or reports why there is none and returns "".
func (e *entry) form() string {
	var found []string
	form := byEndpoints
	e.model.Driver = External
	for _, f := range forms {
		if e.has(f.field) {
			form, e.model.Driver = f.field, f.driver
			found = append(found, f.field)
		}
	}
	if len(found) > 1 {
		e.add(e.path, "has %s; keep one of them", strings.Join(found, " and "))
		return ""
	}
	if len(found) == 0 && !e.has(byEndpoints) {
		e.add(e.path, "needs one of command, model, container, deployment, or endpoints alone for a server that runs elsewhere")
		return ""
	}
	e.foreign(form)
	return form
}

// foreign reports fields, and fields of these, that belong to another form.
func (e *entry) foreign(form string) {
	const foreign = "does not go with a model that is given by %s"
	for _, name := range e.names {
		field := e.field(name)
		if !field.allowed(form) {
			e.add(e.at(name), foreign, form)
		}
		for _, member := range e.fields[name].Members {
			i := slices.IndexFunc(field.Fields, func(f Field) bool { return f.Name == member.Name && !f.allowed(form) })
			if i >= 0 {
				e.add(join(e.at(name), member.Name), foreign, form)
			}
		}
	}
}

// shared reads what all forms have.
func (e *entry) shared() {
	m := &e.model
	m.Aliases = e.ids("aliases")
	m.ServedName = e.text("served_name")
	m.APIKey = Secret(e.text("api_key"))
	e.secrets = append(e.secrets, m.APIKey)
	m.Restart = RestartPolicy(e.choice("restart_policy"))
	e.demand()
	t := e.child("timeouts")
	m.Timeouts = Timeouts{
		Connect:   t.duration("connect"),
		FirstByte: t.duration("first_byte"),
		Idle:      t.duration("idle"),
		Total:     t.duration("total"),
		Start:     t.duration("start"),
		Stall:     t.duration("stall"),
		Drain:     t.duration("drain"),
		Load:      t.duration("load"),
	}
	m.Routing = e.child("routing").routing()
	m.Limits = e.child("limits").limits()
	m.DependsOn = e.ids("depends_on")
	e.where()
}

// demand reads start and what depends on it.
func (e *entry) demand() {
	d := Demand{Start: e.choice("start") == onDemand, IdleTimeout: e.duration("idle_timeout"), SwapGroup: e.text("swap_group"), Sleep: e.yes("sleep")}
	for _, name := range e.names {
		if e.field(name).Demand && !d.Start {
			e.add(e.at(name), "is for models on demand: add start: on_demand")
		}
	}
	e.model.Demand = d
}

// environment reads env.
func (e *entry) environment() Env {
	fields := e.child("env")
	env := Env{}
	for _, name := range fields.names {
		at := fields.at(name)
		if !variable.MatchString(name) {
			e.add(at, "not the name of an environment variable: use letters, digits and _")
			continue
		}
		env[name] = Secret(e.scalar(at, fields.fields[name]).value)
		if SecretVariable(name) {
			e.secrets = append(e.secrets, env[name])
		}
	}
	return env
}

var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:@+-]*(/[A-Za-z0-9][A-Za-z0-9._:@+-]*)*$`)

// checkID allows what can be a part of a URL's path, as in /llm/{id}/chat/completions.
func (r *reader) checkID(path, id string) {
	switch {
	case !idForm.MatchString(id) || len(id) > 200:
		r.add(path, "not usable as an id: use up to 200 letters, digits and . _ : @ + - and / between parts, beginning with a letter or digit")
	case id == "v1" || strings.HasPrefix(id, "v1/"):
		r.add(path, "not usable as an id: /llm/v1/ is the path for requests that name their model in the body")
	}
}

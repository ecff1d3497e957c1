package read

import (
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/document"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/fields"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// drivers are those of models, by the field that says how a model is run.
var drivers = map[string]manifest.Driver{
	fields.ByCommand: manifest.Process, fields.ByModel: manifest.Process, fields.ByContainer: manifest.Docker, fields.ByDeployment: manifest.Kubernetes,
}

// entry is one model on its way from the file to the plan.
type entry struct {
	*strict.Object
	model   manifest.Model
	base    strict.Endpoint // of endpoints.base_url; the zero value when it is not given
	servers []server        // of endpoints.servers
}

func (r *reader) model(path, id string, n *document.Node) manifest.Model {
	e := &entry{Object: r.Object(path, n, fields.OfModel()), model: manifest.Model{ID: id}}
	if n.Kind != document.Mapping {
		return e.model
	}
	r.CheckID(path, id)
	e.shared()
	switch form := e.form(); form {
	case fields.ByCommand:
		e.command()
	case fields.ByModel:
		e.vllm()
	case fields.ByContainer, fields.ByDeployment:
		e.remote(form)
	case fields.ByEndpoints:
		e.external()
	}
	return e.model
}

// form finds the one form of the entry, or reports why there is none and returns "".
func (e *entry) form() string {
	var found []string
	form := fields.ByEndpoints
	e.model.Driver = manifest.External
	for _, field := range fields.Forms {
		if e.Has(field) {
			form, e.model.Driver = field, drivers[field]
			found = append(found, field)
		}
	}
	if len(found) > 1 {
		e.Add(e.Path, "has %s; keep one of them", strings.Join(found, " and "))
		return ""
	}
	if len(found) == 0 && !e.Has(fields.ByEndpoints) {
		e.Add(e.Path, "needs one of command, model, container, deployment, or endpoints alone for a server that runs elsewhere")
		return ""
	}
	e.foreign(form)
	return form
}

// foreign reports fields, and fields of these, that belong to another form.
func (e *entry) foreign(form string) {
	const foreign = "does not go with a model that is given by %s"
	for _, name := range e.Names {
		field := e.Field(name)
		if !field.Allowed(form) {
			e.Add(e.At(name), foreign, form)
		}
		for _, member := range e.Fields[name].Members {
			i := slices.IndexFunc(field.Fields, func(f strict.Field) bool { return f.Name == member.Name && !f.Allowed(form) })
			if i >= 0 {
				e.Add(strict.Join(e.At(name), member.Name), foreign, form)
			}
		}
	}
}

// shared reads what all forms have.
func (e *entry) shared() {
	m := &e.model
	m.Aliases = e.IDs("aliases")
	m.ServedName = e.Text("served_name")
	m.APIKey = manifest.Secret(e.Text("api_key"))
	e.Secrets = append(e.Secrets, m.APIKey.Reveal())
	m.Restart = manifest.RestartPolicy(e.Choice("restart_policy"))
	e.demand()
	t := e.Child("timeouts")
	m.Timeouts = manifest.Timeouts{
		Connect:   t.Duration("connect"),
		FirstByte: t.Duration("first_byte"),
		Idle:      t.Duration("idle"),
		Total:     t.Duration("total"),
		Start:     t.Duration("start"),
		Stall:     t.Duration("stall"),
		Drain:     t.Duration("drain"),
		Load:      t.Duration("load"),
	}
	m.Routing = routing(e.Child("routing"))
	m.Limits = limits(e.Child("limits"))
	m.DependsOn = e.IDs("depends_on")
	e.where()
}

// demand reads start and what depends on it.
func (e *entry) demand() {
	d := manifest.Demand{Start: e.Choice("start") == fields.OnDemand, IdleTimeout: e.Duration("idle_timeout"), SwapGroup: e.Text("swap_group"), Sleep: e.Yes("sleep")}
	for _, name := range e.Names {
		if e.Field(name).Demand && !d.Start {
			e.Add(e.At(name), "is for models on demand: add start: on_demand")
		}
	}
	e.model.Demand = d
}

// environment reads env.
func (e *entry) environment() manifest.Env {
	vars := e.Child("env")
	env := manifest.Env{}
	for _, name := range vars.Names {
		at := vars.At(name)
		if !strict.Variable.MatchString(name) {
			e.Add(at, "not the name of an environment variable: use letters, digits and _")
			continue
		}
		env[name] = manifest.Secret(e.Scalar(at, vars.Fields[name]).Value)
		if strict.SecretVariable(name) {
			e.Secrets = append(e.Secrets, env[name].Reveal())
		}
	}
	return env
}

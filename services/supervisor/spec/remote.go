package spec

// external plans a server that runs elsewhere.
func (e *entry) external() {
	e.model.Instances = []Instance{e.at0()}
}

// remote plans a container or a Deployment.
func (e *entry) remote(form string) {
	if !e.has("endpoints") {
		e.add(e.at("endpoints"), "missing; a model given by %s needs its base_url", form)
	}
	if form == byContainer {
		c := e.child("container")
		e.model.Container.Name = c.required("name", "the container's name")
	} else {
		d := e.child("deployment")
		e.model.Deployment = Deployment{
			Name:      d.required("name", "the Deployment's name"),
			Namespace: d.text("namespace"),
		}
	}
	e.model.Instances = []Instance{e.at0()}
}

// required reads a string that has to be there.
func (o *object) required(name, what string) string {
	if !o.has(name) {
		o.add(o.at(name), "missing; give %s", what)
	}
	return o.text(name)
}

// at0 is the only instance of a model without processes.
func (e *entry) at0() Instance {
	if e.base.host == "" {
		return Instance{} // a fault, reported already
	}
	return Instance{ID: e.model.ID + "-0", URL: e.base.String(), Dial: e.base.dial(), Port: e.base.port}
}

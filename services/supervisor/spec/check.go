package spec

// check finds what only the whole file shows.
func (r *reader) check(models []Model) {
	r.checkPorts(models)
	r.checkNames(models)
}

// checkPorts reports ports of this machine that two processes would open.
func (r *reader) checkPorts(models []Model) {
	owner := map[int]string{}
	for _, p := range (&File{Models: models}).Ports() {
		first, taken := owner[p.Port]
		if !taken {
			owner[p.Port] = p.Model
			continue
		}
		if first != p.Model { // the replicas of one model count upwards
			r.add(join("llmModels", p.Model), "port %d is also the port of model %q; give each its own", p.Port, first)
		}
	}
}

// checkNames reports ids and aliases that stand for two models.
func (r *reader) checkNames(models []Model) {
	owner := map[string]string{}
	for _, m := range models {
		owner[m.ID] = m.ID
	}
	for _, m := range models {
		for _, alias := range m.Aliases {
			if first, taken := owner[alias]; taken {
				r.add(join("llmModels", m.ID)+".aliases", "%q is already a name of model %q", alias, first)
				continue
			}
			owner[alias] = m.ID
		}
	}
}

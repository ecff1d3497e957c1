package check

import (
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// checker reports to the reader of the file.
type checker struct{ *strict.Reader }

// File finds what only the whole file shows. It tells reader of faults, and adds warnings to the file.
func File(reader *strict.Reader, file *manifest.File) {
	r, models := checker{reader}, file.Models
	r.ports(models)
	r.names(models)
	r.routing(models)
	r.shares(file)
	r.dependencies(models)
	r.swaps(file)
}

// ports reports ports of this machine that two processes would open.
func (r checker) ports(models []manifest.Model) {
	owner := map[int]string{}
	for _, p := range (&manifest.File{Models: models}).Ports() {
		first, taken := owner[p.Port]
		if !taken {
			owner[p.Port] = p.Model
			continue
		}
		if first != p.Model { // the replicas of one model count upwards
			r.Add(strict.Join("llmModels", p.Model), "port %d is also the port of model %q; give each its own", p.Port, first)
		}
	}
}

// names reports ids and aliases that stand for two models.
func (r checker) names(models []manifest.Model) {
	owner := map[string]string{}
	for _, m := range models {
		owner[m.ID] = m.ID
	}
	for _, m := range models {
		for _, alias := range m.Aliases {
			if first, taken := owner[alias]; taken && alias != "" {
				r.Add(strict.Join("llmModels", m.ID)+".aliases", "%q is already a name of model %q", alias, first)
				continue
			}
			owner[alias] = m.ID
		}
	}
}

// routing reports canaries and fallbacks that are not other models of the file, and parts that are more than the whole.
func (r checker) routing(models []manifest.Model) {
	ids := idsOf(models)
	for _, m := range models {
		at := strict.Join("llmModels", m.ID) + ".routing"
		whole, canaries := 0.0, make([]string, len(m.Routing.Canary))
		for i, share := range m.Routing.Canary {
			whole += share.Percent
			canaries[i] = share.Model
		}
		if whole > 100+1e-9 { // thirds and tenths do not add up exactly
			r.Add(at+".canary", "%g percent together; keep them at most 100", whole)
		}
		r.others(m.ID, canaries, ids, func(i int) string { return strict.Index(at+".canary", i) + ".model" })
		r.others(m.ID, m.Routing.Fallbacks, ids, func(i int) string { return strict.Index(at+".fallbacks", i) })
	}
}

func idsOf(models []manifest.Model) []string {
	ids := make([]string, len(models))
	for i, m := range models {
		ids[i] = m.ID
	}
	return ids
}

// dependencies reports dependencies that are not other models of the file, and those that go round in a circle, each circle
// once.
func (r checker) dependencies(models []manifest.Model) {
	ids := idsOf(models)
	needs := make(map[string][]string, len(models))
	for _, m := range models {
		at := strict.Join("llmModels", m.ID) + ".depends_on"
		r.others(m.ID, m.DependsOn, ids, func(i int) string { return strict.Index(at, i) })
		needs[m.ID] = slices.DeleteFunc(slices.Clone(m.DependsOn), func(id string) bool { return id == m.ID })
	}
	known := map[string]bool{} // models whose dependencies have been followed to their ends
	var follow func(id string, way []string)
	follow = func(id string, way []string) {
		if begin := slices.Index(way, id); begin >= 0 {
			circle := append(slices.Clone(way[begin:]), id)
			r.Add(strict.Join("llmModels", id)+".depends_on", "goes round in a circle, so that none of them could start: %s", strings.Join(circle, " needs "))
			return
		}
		if known[id] {
			return
		}
		for _, other := range needs[id] {
			follow(other, append(way, id))
		}
		known[id] = true
	}
	for _, id := range ids {
		follow(id, nil)
	}
}

// swaps reports models that need others of their swap group, more than are loaded at a time: they could never run.
func (r checker) swaps(file *manifest.File) {
	byID := map[string]manifest.Model{}
	for _, m := range file.Models {
		byID[m.ID] = m
	}
	for _, m := range file.Models {
		group := m.Demand.SwapGroup
		if group == "" {
			continue
		}
		loaded, seen := 0, map[string]bool{}
		var count func(id string)
		count = func(id string) {
			if seen[id] {
				return
			}
			seen[id] = true
			if byID[id].Demand.SwapGroup == group {
				loaded++
			}
			for _, other := range byID[id].DependsOn {
				count(other)
			}
		}
		count(m.ID)
		if most := file.SwapGroups[group].Loaded; loaded > most {
			r.Add(strict.Join("llmModels", m.ID)+".depends_on", "%d models of swap group %s would have to be loaded at a time, which lets %d; raise swapGroups.%s.loaded", loaded, group, most, group)
		}
	}
}

// others checks that a model names others of the file, each once. at is the path of a name.
func (r checker) others(id string, named, ids []string, at func(i int) string) {
	for i, name := range named {
		switch {
		case name == "": // a fault, reported already
		case name == id:
			r.Add(at(i), "is the model itself; name another one")
		case !slices.Contains(ids, name):
			r.Add(at(i), "no model of this file has the id %q; %s", name, strict.Hint(name, ids))
		case slices.Index(named, name) < i:
			r.Add(at(i), "%q is named already; keep one", name)
		}
	}
}

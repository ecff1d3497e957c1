package spec

import (
	"cmp"
	"maps"
	"slices"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// Parse reads a models file from data. The name tells the notation, YAML when it ends in .yaml or .yml, and stands in
// errors. env looks up what ${NAME} stands for; nil knows no names.
func Parse(name string, data []byte, env func(string) (string, bool)) (*File, error) {
	source, err := Read(name, data)
	if err != nil {
		return nil, err
	}
	return source.Plan(env)
}

// Plan makes the plan that the source describes. env looks up what ${NAME} stands for; nil knows no names.
func (s *Source) Plan(env func(string) (string, bool)) (*File, error) {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	r := &reader{faults: faults{name: s.Name}, env: env}
	if s.root.Kind != document.Mapping {
		r.add("the file", "expected an object with llmModels, found %s", s.root.Kind)
		return nil, r.err()
	}
	top := r.object("", s.root, fileFields)
	file := &File{Source: s, Models: r.models(top)}
	file.SwapGroups = r.swapGroups(top, file.Models)
	file.Warnings = r.warnings
	r.check(file)
	if err := r.err(); err != nil {
		return nil, err
	}
	slices.Sort(r.secrets)
	file.Secrets = slices.DeleteFunc(slices.Compact(r.secrets), func(s Secret) bool { return s == "" })
	return file, nil
}

func (r *reader) models(top *object) []Model {
	if !top.has("llmModels") {
		r.add("llmModels", "missing; it holds the models by id")
		return nil
	}
	byID := r.object("llmModels", top.fields["llmModels"], nil)
	if len(byID.names) == 0 && top.fields["llmModels"].Kind == document.Mapping {
		r.add("llmModels", "names no model")
	}
	var models []Model
	for _, id := range byID.names {
		models = append(models, r.model(byID.at(id), id, byID.fields[id]))
	}
	slices.SortFunc(models, func(a, b Model) int { return cmp.Compare(a.ID, b.ID) })
	return models
}

// swapGroups reads the groups that models are in, and those that are only set up.
func (r *reader) swapGroups(top *object, models []Model) map[string]SwapGroup {
	groups := map[string]SwapGroup{}
	for _, m := range models {
		if m.Demand.SwapGroup != "" {
			groups[m.Demand.SwapGroup] = SwapGroup{Loaded: 1}
		}
	}
	if !top.has("swapGroups") {
		return groups
	}
	byName := r.object("swapGroups", top.fields["swapGroups"], nil)
	for _, name := range byName.names {
		at := byName.at(name)
		o := r.object(at, byName.fields[name], groupFields)
		group := SwapGroup{Loaded: o.whole("loaded"), Residency: o.duration("residency")}
		if _, used := groups[name]; !used {
			others := "none has any"
			if len(groups) > 0 {
				others = hint(name, slices.Sorted(maps.Keys(groups)))
			}
			r.add(at, "no model has swap_group: %s; %s", name, others)
			continue
		}
		groups[name] = group
	}
	return groups
}

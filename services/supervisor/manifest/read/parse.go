package read

import (
	"cmp"
	"maps"
	"slices"

	"github.com/fluidmcp/fluidmcp/internal/document"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/check"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/fields"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/source"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// Parse reads a models file from data. The name tells the notation, YAML when it ends in .yaml or .yml, and stands in
// errors. env looks up what ${NAME} stands for; nil knows no names.
func Parse(name string, data []byte, env func(string) (string, bool)) (*manifest.File, error) {
	text, err := source.Read(name, data)
	if err != nil {
		return nil, err
	}
	return Plan(text, env)
}

// Plan makes the plan that a source describes. env looks up what ${NAME} stands for; nil knows no names.
func Plan(s *source.Source, env func(string) (string, bool)) (*manifest.File, error) {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	r := &reader{strict.New(s.Name, env)}
	if s.Root().Kind != document.Mapping {
		r.Add("the file", "expected an object with llmModels, found %s", s.Root().Kind)
		return nil, r.Err()
	}
	top := r.Object("", s.Root(), fields.OfFile())
	file := &manifest.File{Source: s, Models: r.models(top)}
	file.SwapGroups = r.swapGroups(top, file.Models)
	file.Warnings = r.Warnings
	check.File(r.Reader, file)
	if err := r.Err(); err != nil {
		return nil, err
	}
	slices.Sort(r.Secrets)
	for _, s := range slices.Compact(r.Secrets) {
		if s != "" {
			file.Secrets = append(file.Secrets, manifest.Secret(s))
		}
	}
	return file, nil
}

// reader makes a plan of what it reads.
type reader struct{ *strict.Reader }

func (r *reader) models(top *strict.Object) []manifest.Model {
	if !top.Has("llmModels") {
		r.Add("llmModels", "missing; it holds the models by id")
		return nil
	}
	byID := r.Object("llmModels", top.Fields["llmModels"], nil)
	if len(byID.Names) == 0 && top.Fields["llmModels"].Kind == document.Mapping {
		r.Add("llmModels", "names no model")
	}
	var models []manifest.Model
	for _, id := range byID.Names {
		models = append(models, r.model(byID.At(id), id, byID.Fields[id]))
	}
	slices.SortFunc(models, func(a, b manifest.Model) int { return cmp.Compare(a.ID, b.ID) })
	return models
}

// swapGroups reads the groups that models are in, and those that are only set up.
func (r *reader) swapGroups(top *strict.Object, models []manifest.Model) map[string]manifest.SwapGroup {
	groups := map[string]manifest.SwapGroup{}
	for _, m := range models {
		if m.Demand.SwapGroup != "" {
			groups[m.Demand.SwapGroup] = manifest.SwapGroup{Loaded: 1}
		}
	}
	if !top.Has("swapGroups") {
		return groups
	}
	byName := r.Object("swapGroups", top.Fields["swapGroups"], nil)
	for _, name := range byName.Names {
		at := byName.At(name)
		o := r.Object(at, byName.Fields[name], fields.OfGroup())
		group := manifest.SwapGroup{Loaded: o.Whole("loaded"), Residency: o.Duration("residency")}
		if _, used := groups[name]; !used {
			others := "none has any"
			if len(groups) > 0 {
				others = strict.Hint(name, slices.Sorted(maps.Keys(groups)))
			}
			r.Add(at, "no model has swap_group: %s; %s", name, others)
			continue
		}
		groups[name] = group
	}
	return groups
}

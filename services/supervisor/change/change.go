package change

import (
	"maps"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/source"
)

// Effect is what a change does to servers.
type Effect string

// The effects.
const (
	None    Effect = "none"             // in force at once, and no server is touched
	Start   Effect = "start"            // a server that was not there
	Restart Effect = "rolling restart"  // one server after the other is drained and started anew
	Replace Effect = "replace"          // another server comes in the place of one that is drained
	Remove  Effect = "drain and remove" // a server that is no longer wanted
)

// weight orders effects by how much a model suffers.
var weight = []Effect{None, Start, Restart, Replace, Remove}

// Set is everything that differs between two models files.
type Set struct {
	Models []Model `json:"models"`           // those that change, ordered by id
	Shared []Field `json:"shared,omitempty"` // what is said beside the models; no server is touched for it
}

// Model is what changes in one model.
type Model struct {
	ID         string   `json:"model"`
	Effect     Effect   `json:"effect"`               // the heaviest of those on its servers
	New        bool     `json:"new,omitempty"`        // the model was not there
	Gone       bool     `json:"gone,omitempty"`       // it is there no longer
	Interrupts bool     `json:"interrupts,omitempty"` // no server is left, and no place to wait, while one restarts
	Fields     []Field  `json:"fields"`
	Servers    []Server `json:"servers,omitempty"` // those that are touched
}

// Field is a field of the file that has another value.
type Field struct {
	Path   string `json:"field"`
	Old    string `json:"old,omitempty"` // "" when it was not there; secrets are hidden
	New    string `json:"new,omitempty"` // "" when it is there no longer
	Effect Effect `json:"effect"`
	Remote bool   `json:"-"` // it may be changed over HTTP
}

// Server is what becomes of an instance.
type Server struct {
	ID     string `json:"id"`
	Effect Effect `json:"effect"`
}

// Between compares what runs with what is to run. The instances of running are those that are there, which may differ from what
// its source says.
func Between(running, next *manifest.File) Set {
	old, now := byID(running), byID(next)
	ids := maps.Clone(old)
	maps.Copy(ids, now)
	set := Set{Models: []Model{}, Shared: fields(running.Source.Shared(), next.Source.Shared())}
	for n := range set.Shared {
		set.Shared[n].Effect = None
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		m := Model{ID: id, Effect: None, New: old[id] == nil, Gone: now[id] == nil, Servers: servers(old[id], now[id])}
		m.Interrupts = interrupts(now[id], m.Servers)
		restart := None
		for _, s := range m.Servers {
			if slices.Index(weight, s.Effect) > slices.Index(weight, m.Effect) {
				m.Effect = s.Effect
			}
			if s.Effect == Restart || s.Effect == Replace {
				restart = s.Effect
			}
		}
		m.Fields = fields(running.Source.Settings(id), next.Source.Settings(id))
		for n := range m.Fields {
			m.Fields[n].Effect = m.Fields[n].effect(m.Effect, restart)
		}
		if len(m.Fields) > 0 || len(m.Servers) > 0 {
			set.Models = append(set.Models, m)
		}
	}
	return set
}

func byID(file *manifest.File) map[string]*manifest.Model {
	models := map[string]*manifest.Model{}
	for n := range file.Models {
		models[file.Models[n].ID] = &file.Models[n]
	}
	return models
}

// effect is the part that a field has in what happens to the servers of its model: all of it for those of a model that comes or
// goes, else what a restart or another number of replicas explains.
func (f Field) effect(whole, restart Effect) Effect {
	switch {
	case f.Path == "replicas", restart == None && (whole == Start || whole == Remove) && !f.Remote:
		return whole
	case f.Remote:
		return None
	}
	return restart
}

// servers are the instances that are touched. Either model may be nil.
func servers(old, next *manifest.Model) []Server {
	var touched []Server
	if old == nil {
		old = &manifest.Model{}
	}
	if next == nil {
		next = &manifest.Model{}
	}
	for _, i := range next.Instances {
		at := slices.IndexFunc(old.Instances, func(o manifest.Instance) bool { return o.ID == i.ID })
		effect := Start
		if at >= 0 {
			effect = Of(old, next, old.Instances[at], i)
		}
		if effect != None {
			touched = append(touched, Server{i.ID, effect})
		}
	}
	for _, o := range old.Instances {
		if !slices.ContainsFunc(next.Instances, func(i manifest.Instance) bool { return i.ID == o.ID }) {
			touched = append(touched, Server{o.ID, Remove})
		}
	}
	return touched
}

// interrupts tells whether the one server of a model restarts, without another one that stands in for it.
func interrupts(next *manifest.Model, touched []Server) bool {
	return next != nil && len(next.Instances) == 1 && !next.Surge && !next.Limits.KeepAlive && len(touched) == 1 && touched[0].Effect == Restart
}

// Of tells what becomes of an instance that both plans have.
func Of(old, next *manifest.Model, was, is manifest.Instance) Effect {
	switch {
	case old.Driver != next.Driver, was.Container != is.Container, old.Deployment != next.Deployment:
		return Replace
	case next.Driver == manifest.Process && !(slices.Equal(was.Argv, is.Argv) && maps.Equal(was.Env, is.Env) && was.Dir == is.Dir):
		return Restart
	case next.Driver != manifest.Process && was.Dial != is.Dial:
		return Replace
	}
	return None
}

// Alike tells whether two sources say the same of a model.
func Alike(a, b *source.Source, id string) bool {
	return len(fields(a.Settings(id), b.Settings(id))) == 0
}

// fields compares the settings of a model, those of the new file in its order, and then those that are gone.
func fields(old, next []source.Setting) []Field {
	changed := []Field{}
	find := func(in []source.Setting, path string) (source.Setting, bool) {
		at := slices.IndexFunc(in, func(s source.Setting) bool { return s.Path == path })
		if at < 0 {
			return source.Setting{}, false
		}
		return in[at], true
	}
	for _, s := range next {
		if before, there := find(old, s.Path); !there || !s.Same(before) {
			changed = append(changed, Field{Path: s.Path, Old: before.Shown, New: s.Shown, Remote: s.Remote})
		}
	}
	for _, s := range old {
		if _, there := find(next, s.Path); !there {
			changed = append(changed, Field{Path: s.Path, Old: s.Shown, Remote: s.Remote})
		}
	}
	return changed
}

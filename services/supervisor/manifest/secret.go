package manifest

import (
	"maps"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/argv"
)

// Secret is text that is not shown by accident.
type Secret string

// String hides the secret from fmt and from logs.
func (Secret) String() string { return argv.Hidden }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return argv.Hidden }

// MarshalText hides the secret from encoding/json.
func (Secret) MarshalText() ([]byte, error) { return []byte(argv.Hidden), nil }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// Reveal returns the secrets of the file themselves.
func (f *File) Reveal() []string {
	all := make([]string, len(f.Secrets))
	for i, s := range f.Secrets {
		all[i] = s.Reveal()
	}
	return all
}

// Env is an environment whose values are secret.
type Env map[string]Secret

// List returns the environment as os/exec takes it, ordered by name.
func (e Env) List() []string {
	list := make([]string, 0, len(e))
	for _, name := range slices.Sorted(maps.Keys(e)) {
		list = append(list, name+"="+e[name].Reveal())
	}
	return list
}

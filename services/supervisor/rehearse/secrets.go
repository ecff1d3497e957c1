package rehearse

import (
	"os"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// A made-up value has the name of its variable between these.
const before, after = "stand-in-for-", "-of-the-environment"

// Env looks up what ${NAME} stands for in a file that is rehearsed: what the environment has, and a made-up value for a secret that it
// has not, since a mock takes any. The name tells what a secret is.
func Env(name string) (string, bool) {
	value, ok := os.LookupEnv(name)
	if !ok && strict.SecretVariable(name) {
		return before + name + after, true
	}
	return value, ok
}

// unset names the variables whose values in the plan are made up.
func unset(file *manifest.File) (names []string) {
	for _, secret := range file.Reveal() {
		if name, made := strings.CutPrefix(secret, before); made {
			names = append(names, strings.TrimSuffix(name, after))
		}
	}
	return names
}

// needs tells whether a server, or who asks it, would be given a made-up value.
func needs(m *manifest.Model, i *manifest.Instance, name string) bool {
	given := func(text string) bool { return strings.Contains(text, before+name+after) }
	return given(m.APIKey.Reveal()) || slices.ContainsFunc(i.Argv, given) || slices.ContainsFunc(i.Env.List(), given)
}

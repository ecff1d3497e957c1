package change

import (
	"fmt"
	"slices"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/source"
)

// Forbidden lists what a file that came over HTTP may not change: everything that could run a program, reach another machine or
// tell what stands in the environment. A model that is as declared, the file of the operator, may come back.
func Forbidden(running, declared, next *source.Source) []string {
	var all []string
	for _, id := range next.IDs() {
		before := running
		if before.Entry(id) == nil {
			before = declared
		}
		if before.Entry(id) == nil {
			all = append(all, fmt.Sprintf("model %q is not in the models file", id))
			continue
		}
		settings := next.Settings(id)
		for _, f := range fields(before.Settings(id), settings) {
			at := slices.IndexFunc(settings, func(s source.Setting) bool { return s.Path == f.Path })
			switch {
			case !f.Remote:
				all = append(all, fmt.Sprintf("%s of model %q", f.Path, id))
			case at >= 0 && settings[at].Refers():
				all = append(all, fmt.Sprintf("${...} in %s of model %q", f.Path, id))
			}
		}
	}
	return all
}

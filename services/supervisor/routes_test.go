package supervisor

import (
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/mux"
	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/docs"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
)

// The document names every route with its methods, and nothing else.
func TestRoutesAreDocumented(t *testing.T) {
	s, err := New(Default(), Deps{Log: zap.NewNop(), Models: &manifest.File{}})
	if err != nil {
		t.Fatal(err)
	}
	expression := regexp.MustCompile(`:[^}]*}`)
	routes := map[string][]string{}
	err = s.routes().Walk(func(r *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := r.GetPathTemplate()
		if err != nil {
			return err
		}
		handler, ok := r.GetHandler().(methods) // without a token nothing is around it
		if !ok {
			t.Errorf("%s is handled by a %T: its methods cannot be told", path, r.GetHandler())
		}
		routes[expression.ReplaceAllString(path, "}")] = slices.Sorted(maps.Keys(handler))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	documented, err := docs.Paths(docs.Supervisor)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(routes, documented); diff != "" {
		t.Errorf("routes and docs/openapi.yaml differ (-routes +document):\n%s", diff)
	}
}

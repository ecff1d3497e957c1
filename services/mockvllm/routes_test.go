package mockvllm

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/docs"
)

// The document names every route with its methods, and nothing else.
func TestRoutesAreDocumented(t *testing.T) {
	s, err := New(Default(), Deps{})
	if err != nil {
		t.Fatal(err)
	}
	routes := map[string][]string{}
	for _, r := range s.routes() {
		routes[r.Path] = append(routes[r.Path], strings.Split(r.Methods, ", ")...)
		slices.Sort(routes[r.Path])
	}
	documented, err := docs.Paths(docs.ModelServer)
	if err != nil {
		t.Fatal(err)
	}
	// At these paths the document has what the gateway answers. It says in words that a model server's health has no body.
	documented["/health"] = []string{"GET"}
	documented["/openapi.json"], documented["/docs"] = []string{"GET", "HEAD"}, []string{"GET", "HEAD"}
	if diff := cmp.Diff(routes, documented); diff != "" {
		t.Errorf("routes and docs/openapi.yaml differ (-routes +document):\n%s", diff)
	}
}

package mockvllm

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/docs"
)

// The document names every route with its methods, and nothing else.
func TestRoutesAreDocumented(t *testing.T) {
	routes := map[string][]string{}
	for _, r := range (&Server{}).routes() {
		routes[r.path] = append(routes[r.path], r.method)
		slices.Sort(routes[r.path])
	}
	documented, err := docs.Paths(docs.ModelServer)
	if err != nil {
		t.Fatal(err)
	}
	// At this path the document has the answer of gateway and supervisor, and says in words that a model server's has no body.
	documented["/health"] = []string{"GET"}
	if diff := cmp.Diff(routes, documented); diff != "" {
		t.Errorf("routes and docs/openapi.yaml differ (-routes +document):\n%s", diff)
	}
}

package gateway

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/mux"
	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/docs"
	"github.com/fluidmcp/fluidmcp/services/gateway/endpoint"
)

// The document names every route and every endpoint with its methods, and nothing else.
func TestRoutesAreDocumented(t *testing.T) {
	documented, err := docs.Paths(docs.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	managed, err := docs.Paths(docs.Supervisor)
	if err != nil {
		t.Fatal(err)
	}
	want := endpointPaths()
	for path, methods := range managed {
		if strings.HasPrefix(path, "/api/llm/") { // all of these are handed on; the supervisor's test holds them against its routes
			want[path] = methods
		}
	}
	exact, prefixes := routesOf(t)
	for path, methods := range exact {
		if methods == nil {
			methods = want[path] // the handler looks at the method itself
		}
		want[path] = methods
	}
	for _, prefix := range prefixes {
		page, below := want[prefix], false
		if page == nil && documented[prefix] != nil { // a folder with a page at its top
			want[prefix] = []string{http.MethodGet}
		}
		for path := range documented {
			below = below || strings.HasPrefix(path, prefix)
		}
		if !below {
			t.Errorf("the route %s has no path in docs/openapi.yaml", prefix)
		}
	}
	if diff := cmp.Diff(want, documented); diff != "" {
		t.Errorf("routes and docs/openapi.yaml differ (-routes +document):\n%s", diff)
	}
}

// endpointPaths is every path of inference and of the model lists, as endpoint.Of and inferByPath know them.
func endpointPaths() map[string][]string {
	get := []string{http.MethodGet}
	paths := map[string][]string{
		"/v1/models": get, "/llm/v1/models": get, "/llm/{model}/models": get, "/llm/{model}/v1/models": get,
		"/v1/models/{model}": get, "/llm/v1/models/{model}": get,
	}
	for _, tail := range endpoint.Known() {
		for _, prefix := range []string{"/v1/", "/llm/v1/", "/llm/{model}/", "/llm/{model}/v1/"} {
			paths[prefix+tail] = []string{http.MethodPost}
		}
	}
	return paths
}

// routesOf walks the router: paths with the methods that their route allows, HEAD aside, and the prefixes.
func routesOf(t *testing.T) (exact map[string][]string, prefixes []string) {
	t.Helper()
	g, err := New(Default(), Deps{Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := g.pages()
	if err != nil {
		t.Fatal(err)
	}
	exact = map[string][]string{}
	err = pages.Walk(func(r *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := r.GetPathTemplate()
		if err != nil {
			return err
		}
		expression, err := r.GetPathRegexp()
		if err != nil {
			return err
		}
		if !strings.HasSuffix(expression, "$") {
			prefixes = append(prefixes, path)
			return nil
		}
		methods, _ := r.GetMethods() // fails where the route takes all
		methods = slices.DeleteFunc(slices.Clone(methods), func(m string) bool { return m == http.MethodHead })
		exact[path] = slices.Clip(methods)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return exact, prefixes
}

package docs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Server is one of the servers that the document names for its paths.
type Server string

// The servers, by their addresses in the document.
const (
	Gateway     Server = "/"
	Supervisor  Server = "http://localhost:8098"
	ModelServer Server = "http://localhost:8001"
)

// Paths returns the paths that the document has for a server, each with its methods in alphabetical order. The tests of the
// services hold it against their routes.
func Paths(s Server) (map[string][]string, error) {
	text, err := OpenAPI()
	if err != nil {
		return nil, err
	}
	type servers []struct{ URL Server }
	var doc struct {
		Servers servers
		Paths   map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("docs/openapi.yaml: %w", err)
	}
	all := map[string][]string{}
	for path, item := range doc.Paths {
		on := doc.Servers
		if own, ok := item["servers"]; ok {
			on = nil
			if err := json.Unmarshal(own, &on); err != nil {
				return nil, fmt.Errorf("docs/openapi.yaml: servers of %s: %w", path, err)
			}
		}
		if !slices.Contains(on, struct{ URL Server }{s}) {
			continue
		}
		var methods []string
		for member := range item {
			if !slices.Contains([]string{"servers", "parameters", "summary", "description"}, member) {
				methods = append(methods, strings.ToUpper(member))
			}
		}
		slices.Sort(methods)
		all[path] = methods
	}
	return all, nil
}

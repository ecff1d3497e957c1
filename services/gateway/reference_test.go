package gateway_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/docs"
)

// Every documented operation is answered, and every other method of its path is refused with the documented ones.
func TestDocumentedMethods(t *testing.T) {
	f := start(t, nil, model("m", newBackend(t, strict).URL))
	documented, err := docs.Paths(docs.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	for path, methods := range documented {
		if strings.HasPrefix(path, "/api/llm/") { // the supervisor's test asks these
			continue
		}
		path = strings.ReplaceAll(path, "{model}", "m")
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			a := f.do(method, path, `{"model":"m"}`)
			switch {
			case slices.Contains(methods, method):
				if a.status == 405 || a.code() == "path_not_found" {
					t.Errorf("%s %s is documented and answered %d %s", method, path, a.status, a.body)
				}
			case a.status != 405 || !slices.Equal(methods, slices.DeleteFunc(strings.Split(a.header.Get("Allow"), ", "), isHead)):
				t.Errorf("%s %s is not documented and answered %d, Allow %q", method, path, a.status, a.header.Get("Allow"))
			}
		}
	}
}

func isHead(method string) bool { return method == "HEAD" }

func TestReference(t *testing.T) {
	f := start(t, nil)
	document := f.do("GET", "/openapi.json", "")
	var parsed struct{ OpenAPI string }
	if err := json.Unmarshal([]byte(document.body), &parsed); err != nil || parsed.OpenAPI != "3.1.0" {
		t.Errorf("openapi.json: %v, version %q", err, parsed.OpenAPI)
	}
	if again := f.do("GET", "/openapi.json", "", "If-None-Match", document.header.Get("ETag")); again.status != 304 || again.body != "" {
		t.Errorf("the same document again: %d", again.status)
	}
	for path, want := range map[string]string{
		"/docs/": `id="reference"`, "/docs/reference.js": `"/openapi.json"`, "/docs/reference.css": "nav",
		"/docs/swagger-ui-bundle.js": "SwaggerUIBundle", "/docs/swagger-ui.css": ".swagger-ui",
	} {
		a := f.do("GET", path, "")
		if a.status != 200 || !strings.Contains(a.body, want) || !strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("GET %s = %d %v %.80s", path, a.status, a.header, a.body)
		}
	}
	if a := f.do("GET", "/docs", ""); a.header.Get("Location") != "/docs/" {
		t.Errorf("/docs leads to %q", a.header.Get("Location"))
	}
}

package docs_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/fluidmcp/fluidmcp/docs"
)

func TestOpenAPIIsTheYAML(t *testing.T) {
	text, err := docs.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var got, want map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(source, &want); err != nil { // expands aliases and merges by itself, and forgets the order
		t.Fatal(err)
	}
	delete(want, "x-shared")
	if diff := cmp.Diff(normal(t, want), normal(t, got)); diff != "" {
		t.Errorf("YAML and JSON differ (-yaml +json):\n%s", diff)
	}
}

// normal gives every number the type that encoding/json gives it.
func normal(t *testing.T, v any) (out any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// A line of a sentence that begins with a number and a dot, such as a status, is a list to Markdown and tears its paragraph apart.
func TestNoStatusBeginsALine(t *testing.T) {
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if lines := regexp.MustCompile(`(?m)^\s*\d{2,}[.)] .*$`).FindAll(text, -1); lines != nil {
		t.Errorf("break these lines elsewhere: %q", lines)
	}
}

// The list of error codes is closed: programs rely on it.
func TestErrorCodes(t *testing.T) {
	text, err := docs.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Components struct {
			Schemas struct{ ErrorCode struct{ Enum []string } }
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	used := found(t, `(?:Code(?:: | = )|[bB]adRequest\(|unauthorized\()"([a-z_]+)"`, "../services/gateway", "../services/supervisor", "../internal/web")
	if diff := cmp.Diff(used, doc.Components.Schemas.ErrorCode.Enum); diff != "" {
		t.Errorf("codes in the sources and in openapi.yaml differ (-sources +document):\n%s", diff)
	}
}

// The label endpoint has a closed set of values, and metrics.md has them all.
func TestEndpoints(t *testing.T) {
	text, err := os.ReadFile("metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	sentence := regexp.MustCompile("(?s)\n`endpoint` is one of (.*?)\\.").FindSubmatch(text)
	if sentence == nil {
		t.Fatal("metrics.md lacks the sentence with the endpoints")
	}
	var listed []string
	for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllSubmatch(sentence[1], -1) {
		listed = append(listed, string(m[1]))
	}
	slices.Sort(listed)
	if diff := cmp.Diff(found(t, `(?:Label:|endpoint:|c\.endpoint =) *"([a-z_]+)"`, "../services/gateway"), listed); diff != "" {
		t.Errorf("endpoints in the sources and in metrics.md differ (-sources +document):\n%s", diff)
	}
}

// found returns what the group of a pattern matches in the Go files of folders, in order and each once.
func found(t *testing.T, pattern string, folders ...string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	all := map[string]bool{}
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, m := range re.FindAllSubmatch(source, -1) {
				all[string(m[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return slices.Sorted(maps.Keys(all))
}

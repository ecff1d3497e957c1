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
	code := regexp.MustCompile(`Code(?:: | = )"([a-z_]+)"`)
	used := map[string]bool{}
	for _, folder := range []string{"../services/gateway", "../services/supervisor", "../internal/web"} {
		err := filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, found := range code.FindAllSubmatch(source, -1) {
				used[string(found[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(used)), doc.Components.Schemas.ErrorCode.Enum); diff != "" {
		t.Errorf("codes in the sources and in openapi.yaml differ (-sources +document):\n%s", diff)
	}
}

package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryVariableIsDescribed looks for those that are read without a Config, and for those of compose.
func TestEveryVariableIsDescribed(t *testing.T) {
	text, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)`").FindAllSubmatch(text, -1) {
		described[string(m[1])] = true
	}
	used := map[string]string{}
	collect := func(pattern, path string) {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(pattern).FindAllSubmatch(source, -1) {
			used[string(m[1])] = path
		}
	}
	for _, root := range []string{"../cmd", "../services", "../internal"} {
		err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				collect(`(?:Getenv|LookupEnv|env)\("([A-Z_]+)"\)`, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	collect(`\$\{([A-Z_]+)`, "../deploy/compose.yaml")
	collect(`(?m)^([A-Z_]+)=`, "../.env")
	for name, path := range used {
		if !described[name] {
			t.Errorf("%s uses %s, which docs/%s does not describe", path, name, reference)
		}
		delete(described, name)
	}
	for name := range described {
		if !slices.ContainsFunc([]string{"GATEWAY_", "SUPERVISOR_", "DOCKERPROXY_", "MOCKVLLM_"}, func(p string) bool { return strings.HasPrefix(name, p) }) { // generated
			t.Errorf("docs/%s describes %s, which nothing uses", reference, name)
		}
	}
}

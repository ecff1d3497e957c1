package process

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInheritedIsDocumented compares the list with the one that people read.
func TestInheritedIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "### What a model server inherits")
	section, _, _ = strings.Cut(section, "\n### ")
	var documented []string
	for _, row := range strings.Split(section, "\n") {
		if strings.HasPrefix(row, "|") {
			for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row, -1) {
				documented = append(documented, name[1])
			}
		}
	}
	listed := slices.Clone(inherited)
	for _, prefix := range inheritedPrefixes {
		listed = append(listed, prefix+"*")
	}
	slices.Sort(documented)
	slices.Sort(listed)
	if diff := cmp.Diff(listed, documented); diff != "" {
		t.Errorf("code and docs/configuration.md differ (-code +document):\n%s", diff)
	}
}

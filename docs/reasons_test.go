package docs_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestEveryReasonIsDescribed: the API names all reasons for which a model is in its phase. Those of failures and starts alone are
// described with the metrics.
func TestEveryReasonIsDescribed(t *testing.T) {
	source, err := os.ReadFile("../services/supervisor/unit/reason.go")
	if err != nil {
		t.Fatal(err)
	}
	api, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, schema, _ := strings.Cut(string(api), "\n    Reason:\n")
	schema, _, _ = strings.Cut(schema, "    StartProgress:\n")
	reasons := regexp.MustCompile(`Reason += "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(reasons) < 20 {
		t.Fatalf("only %d reasons found", len(reasons))
	}
	for _, m := range reasons {
		if !strings.Contains(schema, "        - "+m[1]+"\n") || !strings.Contains(schema, "`"+m[1]+"`") {
			t.Errorf("openapi.yaml does not list or explain the reason %s", m[1])
		}
	}
}

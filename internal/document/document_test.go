package document_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// TestBothNotations holds JSON and YAML against each other.
func TestBothNotations(t *testing.T) {
	f := func(json, yaml string) {
		t.Helper()
		j, err := document.ParseJSON([]byte(json))
		if err != nil {
			t.Fatalf("%s: %v", json, err)
		}
		y, err := document.ParseYAML([]byte(yaml))
		if diff := cmp.Diff(j, y); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", json, err, diff)
		}
	}
	f(`{"a": 1, "a": [true, null, "x"]} // twice`, "a: 1\na: [true, null, x]")
	f(`"8001"`, `"8001"`)
	f(`-1.50`, `-1.50`)
	f(`[]`, `[]`)
}

func TestFaults(t *testing.T) {
	f := func(parse func([]byte) (*document.Node, error), text, want string) {
		t.Helper()
		if _, err := parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: %v, want %s", text, err, want)
		}
	}
	f(document.ParseJSON, "  \n", "the file is empty")
	f(document.ParseJSON, "{", "line 1, column 2")
	f(document.ParseJSON, "[secret]", "strings need double quotes")
	f(document.ParseJSON, strings.Repeat("[", 1001), "nest deeper than 1000")
	f(document.ParseYAML, "# nothing", "the file is empty")
	f(document.ParseYAML, "a: &x 1\nb: *x", "line 2, column 4: YAML aliases")
	f(document.ParseYAML, "a: 1\n---\nb: 2", "more than one YAML document")
	f(document.ParseYAML, "[a]: 1", "a name has to be a plain string")
	if _, err := document.ParseJSON([]byte("[secret]")); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("quotes the file: %v", err)
	}
	if _, err := document.ParseYAML(nil); !errors.Is(err, document.ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
}

func TestNearest(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		if got := document.Nearest(name, []string{"delay", "status", "percent", "oom"}); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	f("dealy", "delay")
	f("Status", "status")
	f("completely", "")
	f("foo", "") // two letters away from one of three are no likeness

	f("oon", "oom")
	f(strings.Repeat("x", 101), "")
}

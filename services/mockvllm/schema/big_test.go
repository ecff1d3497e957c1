package schema_test

import (
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// TestManyFaults counts all faults of a big body, of which few are kept.
func TestManyFaults(t *testing.T) {
	const messages = 50_000 // with a fault for each of the eight members of the union
	text := `{"messages": [` + strings.Repeat("5,", messages-1) + "5]}"
	_, err := parse("ChatCompletionRequest", []byte(text))
	if err == nil {
		t.Fatal("taken")
	}
	lines := strings.Split(err.Error(), "\n")
	if lines[0] != "400000 validation errors:" || len(lines) != 12 || lines[11] != "  ...and 399990 more errors" {
		t.Errorf("%d lines from %q to %q", len(lines), lines[0], lines[len(lines)-1])
	}
	if _, err := schema.Parse("no such model", nil); err == nil {
		t.Error("took an unknown model")
	}
}

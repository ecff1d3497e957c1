package declared

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestHooks wants every validator of vLLM's to be known here, be it as one that does nothing.
func TestHooks(t *testing.T) {
	var file any
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	collect(file, names)
	if len(names) < 50 {
		t.Errorf("only %d validators", len(names))
	}
	for name := range names {
		_, whole := hooks[name]
		_, method, _ := strings.Cut(name, ".")
		if _, shared := hooks[method]; !whole && !shared {
			t.Errorf("schema.json has a validator %s that no hook stands for", name)
		}
	}
}

func collect(v any, names map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		if name, ok := v["fn"].(string); ok {
			names[name] = true
		}
		for _, inner := range v {
			collect(inner, names)
		}
	case []any:
		for _, inner := range v {
			collect(inner, names)
		}
	}
}

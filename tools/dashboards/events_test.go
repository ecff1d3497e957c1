package main

import (
	"strings"
	"testing"
)

// TestEvents: the dashboard of one model marks what became of its servers, and of no others.
func TestEvents(t *testing.T) {
	list := read(t)["model.json"]["annotations"].(map[string]any)["list"].([]any)
	if len(list) != 2 {
		t.Errorf("%d kinds of events, want restarts by the supervisor and those that it did not make", len(list))
	}
	for _, a := range list {
		expr := a.(map[string]any)["target"].(map[string]any)["expr"].(string)
		if !strings.Contains(expr, `model="$model"`) && !strings.Contains(expr, `model_name="$served_name"`) {
			t.Errorf("%s marks events of all models", expr)
		}
	}
}

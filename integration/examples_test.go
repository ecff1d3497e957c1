package integration

import (
	"net/http"
	"strings"
	"testing"
)

// Every example in the reference fits its schema.
func TestReferenceExamples(t *testing.T) {
	c, err := reference()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	fits := func(pointer string, value any) {
		checked++
		schema, err := c.compiler.Compile(documentURL + pointer)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("the example %v does not fit: %v", value, err)
		}
	}
	var walk func(at []string, v any)
	walk = func(at []string, v any) {
		switch v := v.(type) {
		case []any:
			return // nothing in a list of the document has an example of its own
		case map[string]any:
			if v["schema"] != nil { // a media type, parameter or header
				for _, example := range examplesOf(v) {
					fits(pointer(append(at, "schema")...), example)
				}
			} else if list, ok := v["examples"].([]any); ok { // a schema
				for _, example := range list {
					fits(pointer(at...), example)
				}
			}
			for name, inner := range v {
				walk(append(at[:len(at):len(at)], name), inner)
			}
		}
	}
	walk(nil, c.doc)
	if checked < 50 {
		t.Errorf("only %d examples found", checked)
	}
}

func examplesOf(media map[string]any) (all []any) {
	if example, ok := media["example"]; ok {
		all = append(all, example)
	}
	for _, example := range member(media, "examples") {
		all = append(all, example.(map[string]any)["value"])
	}
	return all
}

// referenceExamples sends the requests of the reference to where they belong. All but those that a mock cannot answer succeed.
func referenceExamples(t *testing.T, s *stack) {
	c, err := reference()
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	for template, item := range c.paths {
		for method := range item {
			operation := member(item, method)
			if beyondMock(template, operation) {
				continue
			}
			for _, body := range examplesOf(c.member(operation, "requestBody", "content", "application/json")) {
				base := s.gateway
				if !strings.HasPrefix(template, "/v1/") && !strings.HasPrefix(template, "/llm/") {
					base = s.mocks[mockLLM]
				}
				sent++
				do(t, strings.ToUpper(method), base+strings.ReplaceAll(template, "{model}", mockLLM), body).want(t, http.StatusOK)
				if template == "/mock/faults" {
					do(t, http.MethodDelete, base+template, nil).want(t, http.StatusNoContent)
				}
			}
		}
	}
	if sent < 20 {
		t.Errorf("only %d requests sent", sent)
	}
}

// beyondMock tells the operations to which mockvllm has no answer.
func beyondMock(template string, operation map[string]any) bool {
	for _, tail := range []string{"/embeddings", "/score", "/rerank", "/classify", "/pooling", "/generative_scoring", "/moderations", "/responses"} {
		if strings.HasSuffix(template, tail) {
			return true
		}
	}
	return operation == nil
}

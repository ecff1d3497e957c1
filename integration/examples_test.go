package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every example in the reference fits its schema. Every body has one: for want of it the page makes up values, such as a 429
// with the code body_too_large. A failure shows each code that it names.
func TestReferenceExamples(t *testing.T) {
	c, err := reference()
	if err != nil {
		t.Fatal(err)
	}
	codes := c.member(c.doc, "components", "schemas", "ErrorCode")["enum"].([]any)
	checked := 0
	fits := func(pointer, media string, value any) {
		checked++
		body, ok := value.(string)
		if media != "text/event-stream" || !ok {
			media, body = "application/json", encoded(t, value)
		}
		if err := c.validate(pointer, media, []byte(body)); err != nil {
			t.Errorf("the example %s does not fit: %v", body, err)
		}
	}
	eachObject(c.doc, nil, func(at []string, v map[string]any) {
		if v["schema"] != nil { // a media type, parameter or header
			media, examples := mediaOf(at), examplesOf(v)
			for _, example := range examples {
				fits(pointer(append(at, "schema")...), media, example)
			}
			schema := c.member(v, "schema")
			says := schema["properties"] != nil || schema["anyOf"] != nil || schema["allOf"] != nil
			if says && examples == nil && schema["examples"] == nil && (media == "application/json" || media == "text/event-stream") {
				t.Errorf("%s has no example", pointer(at...))
			}
		} else if list, ok := v["examples"].([]any); ok { // a schema
			for _, example := range list {
				fits(pointer(at...), "", example)
			}
		}
		content := member(v, "content")
		for _, code := range codes {
			named := content != nil && strings.Contains(encoded(t, v["description"]), fmt.Sprintf("`%s`", code))
			if named && !strings.Contains(encoded(t, content), fmt.Sprintf(`code":"%s"`, code)) {
				t.Errorf("%s names %s and does not show it", pointer(at...), code)
			}
		}
	})
	if checked < 50 {
		t.Errorf("only %d examples found", checked)
	}
}

// eachObject visits every object below v, with the names that lead to it.
func eachObject(v any, at []string, visit func(at []string, object map[string]any)) {
	at = slices.Clip(at)
	switch v := v.(type) {
	case map[string]any:
		visit(at, v)
		for name, inner := range v {
			eachObject(inner, append(at, name), visit)
		}
	case []any:
		for i, inner := range v {
			eachObject(inner, append(at, strconv.Itoa(i)), visit)
		}
	}
}

// mediaOf is the media type of the body at a path of the document, or empty for what is no body.
func mediaOf(at []string) string {
	if n := len(at); n > 1 && at[n-2] == "content" {
		return at[n-1]
	}
	return ""
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
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
			if strings.HasPrefix(template, "/api/llm/") {
				continue // it would change what the scenarios run on
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
	for _, tail := range []string{"/embeddings", "/score", "/rerank", "/classify", "/pooling", "/generative_scoring", "/moderations", "/responses",
		"/transcriptions", "/translations"} {
		if strings.HasSuffix(template, tail) {
			return true
		}
	}
	return operation == nil
}

package integration

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/fluidmcp/fluidmcp/docs"
)

// reference is docs/openapi.yaml, against which every exchange of the scenarios is held. The schemas of OpenAPI 3.1 are JSON
// Schemas, so they are compiled where they stand in the document, and failures point into it.
var reference = sync.OnceValues(loadContract)

const documentURL = "file:///openapi.json"

type contract struct {
	paths map[string]map[string]any // path items by their templates
	match map[string]*regexp.Regexp

	mu       sync.Mutex // for compiler
	compiler *jsonschema.Compiler
	doc      any
}

func loadContract() (*contract, error) {
	text, err := docs.OpenAPI()
	if err != nil {
		return nil, err
	}
	c := &contract{paths: map[string]map[string]any{}, match: map[string]*regexp.Regexp{}, compiler: jsonschema.NewCompiler()}
	if c.doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(text)); err != nil {
		return nil, err
	}
	c.compiler.AssertContent()
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource(documentURL, c.doc); err != nil {
		return nil, err
	}
	for path, item := range member(c.doc, "paths") {
		c.paths[path] = item.(map[string]any)
		// The ids of models may hold slashes.
		c.match[path] = regexp.MustCompile("^" + parameter.ReplaceAllString(regexp.QuoteMeta(path), ".+") + "$")
	}
	return c, nil
}

var parameter = regexp.MustCompile(`\\{[^}]*\\}`)

// find returns the template of a path: of those that match, the one with most characters of its own.
func (c *contract) find(path string) (template string) {
	own := func(t string) int { return len(parameter.ReplaceAllString(regexp.QuoteMeta(t), "")) }
	for t, expression := range c.match {
		if expression.MatchString(path) && (template == "" || own(t) > own(template)) {
			template = t
		}
	}
	return template
}

// member returns an object below v, following references, or nil.
func (c *contract) member(v any, names ...string) map[string]any {
	for _, name := range names {
		object, _ := c.resolve(v).(map[string]any)
		v = object[name]
	}
	object, _ := c.resolve(v).(map[string]any)
	return object
}

func member(v any, name string) map[string]any {
	object, _ := v.(map[string]any)[name].(map[string]any)
	return object
}

// resolve follows a reference into components.
func (c *contract) resolve(v any) any {
	object, _ := v.(map[string]any)
	ref, ok := object["$ref"].(string)
	if !ok {
		return v
	}
	v = c.doc
	for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		v = v.(map[string]any)[name]
	}
	return c.resolve(v)
}

// check compares an answer with what the document has for its request. body is nil when nobody read it to its end.
func (c *contract) check(req *http.Request, resp *http.Response, body []byte) error {
	template, method := c.find(req.URL.Path), strings.ToLower(req.Method)
	if req.Method == http.MethodHead {
		method, body = "get", nil
	}
	operation := member(c.paths[template], method)
	switch {
	case template == "" && resp.StatusCode != http.StatusNotFound:
		return fmt.Errorf("%s %s: answered %d, but the path is not documented", req.Method, req.URL.Path, resp.StatusCode)
	case template != "" && operation == nil && resp.StatusCode != http.StatusMethodNotAllowed:
		return fmt.Errorf("%s %s: answered %d, but the method is not documented", req.Method, template, resp.StatusCode)
	case operation == nil:
		return c.validate("#/components/schemas/Failure", "application/json", body)
	}
	at := fmt.Sprintf("%s %s (%s): %d", req.Method, template, operation["operationId"], resp.StatusCode)
	documented := c.member(operation, "responses", fmt.Sprint(resp.StatusCode))
	if documented == nil {
		return fmt.Errorf("%s is not documented; body %.300s", at, body)
	}
	direct := resp.Header.Get("Server") == "uvicorn" // a model server's own words, perhaps through the gateway
	if !direct && c.member(documented, "headers") != nil && resp.Header.Get("X-Request-Id") == "" {
		return fmt.Errorf("%s has no X-Request-Id", at)
	}
	content := c.member(documented, "content")
	if content == nil || direct && template == "/health" { // the document says in words that this has no body
		if len(body) > 0 {
			return fmt.Errorf("%s has a body: %.300s", at, body)
		}
		return nil
	}
	media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || content[media] == nil {
		return fmt.Errorf("%s: the content type %q is not documented", at, resp.Header.Get("Content-Type"))
	}
	response, ok := member(operation, "responses")[fmt.Sprint(resp.StatusCode)].(map[string]any)["$ref"].(string)
	if !ok {
		response = pointer("paths", template, method, "responses", fmt.Sprint(resp.StatusCode))
	}
	if err := c.validate(response+strings.TrimPrefix(pointer("content", media, "schema"), "#"), media, body); err != nil {
		return fmt.Errorf("%s: %w; body %.300s", at, err, body)
	}
	return nil
}

// pointer joins names to a JSON pointer.
func pointer(names ...string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	all := "#"
	for _, name := range names {
		all += "/" + escape.Replace(name)
	}
	return all
}

// validate holds a body, or each event of a stream, against the schema at a JSON pointer.
func (c *contract) validate(pointer, media string, body []byte) error {
	if body == nil {
		return nil
	}
	c.mu.Lock()
	schema, err := c.compiler.Compile(documentURL + pointer)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	switch media {
	case "application/json":
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err != nil {
			return err
		}
		return schema.Validate(value)
	case "text/event-stream":
		for _, event := range eventObjects(body) {
			if err := schema.Validate(event); err != nil {
				return fmt.Errorf("event %v: %w", event, err)
			}
		}
		return nil
	default:
		return schema.Validate(string(body))
	}
}

// eventObjects is a stream as the document models it: an object with the fields of each event. Comments are none.
func eventObjects(body []byte) (all []any) {
	for _, frame := range strings.Split(string(body), "\n\n") {
		event := map[string]any{}
		for _, line := range strings.Split(frame, "\n") {
			if name, value, ok := strings.Cut(line, ": "); ok && name != "" {
				event[name] = value
			}
		}
		if len(event) > 0 {
			all = append(all, event)
		}
	}
	return all
}

// conforming is a client's transport that fails the test for every exchange that docs/openapi.yaml does not describe.
type conforming struct {
	t    *testing.T
	next http.RoundTripper
}

func (c conforming) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(req)
	if err != nil || strings.HasPrefix(req.URL.Path, "/api/v1/") { // Prometheus has paths of its own there
		return resp, err
	}
	contract, err := reference()
	if err != nil {
		return nil, err
	}
	check := func(body []byte) {
		if err := contract.check(req, resp, body); err != nil {
			c.t.Errorf("against docs/openapi.yaml: %v", err)
		}
	}
	resp.Body = &readBody{ReadCloser: resp.Body, kept: []byte{}, check: check}
	return resp, nil
}

// readBody keeps what is read, and has it checked at its end, or without it when it is closed before.
type readBody struct {
	io.ReadCloser
	kept  []byte
	over  bool
	check func(whole []byte)
}

func (b *readBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.kept = append(b.kept, p[:n]...)
	if err == io.EOF && !b.over {
		b.over = true
		b.check(b.kept)
	}
	return n, err
}

func (b *readBody) Close() error {
	if !b.over {
		b.over = true
		b.check(nil)
	}
	return b.ReadCloser.Close()
}

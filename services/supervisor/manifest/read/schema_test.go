package read_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/tailscale/hujson"
	"go.yaml.in/yaml/v3"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/fields"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) {
	text, err := fields.Schema()
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("models.schema.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("models.schema.json")
})

// refused is what the schema has against a models file, or nil. What is not JSON is no matter of a schema.
func refused(t *testing.T, name string, content []byte) error {
	t.Helper()
	schema, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if filepath.Ext(name) == ".yaml" {
		if err := yaml.Unmarshal(content, &doc); err != nil {
			t.Fatal(err)
		}
	} else {
		standard, err := hujson.Standardize(bytes.Clone(content))
		if err != nil {
			return err
		}
		if doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(standard)); err != nil {
			return err
		}
	}
	return schema.Validate(doc)
}

// beyond matches faults that a schema cannot find; the comment of fields.Schema lists them.
var beyond = regexp.MustCompile(strings.Join([]string{
	`not UTF-8`, `nest deeper`, // of the notation
	`\$\{`, `llmModels.m.model: must not be empty`, // what the environment holds
	`is already a name of`, `is the model itself`, `no model of this file`, `is named already`, `percent together`, `the same server as`, `is also the port of`, `contradicts`, `beyond port 65535`,
	`its memory, `, `items, replicas is \d+`, `not a list of GPUs`, `has the place of CUDA_VISIBLE_DEVICES`, `needs a number over 0 and at most 1`, // of GPUs
	`needs a command with vLLM's flags`, `no model has swap_group`, `would have to be loaded at a time`, `FluidMCP cannot tell where`, `more than one needs --port`, `needs --port in args`, `goes round in a circle`, `--port needs a number`,
	`is not the name of a container`, `names \d+ containers, and endpoints has`,
	`not a URL`, `the port must be from`, `is not more than 0 and at most 168h`, `\de\d+ is not a whole number`, `\de-\d+ is not more than 0 and at most 100`,
}, "|"))

// agree checks that parser and schema think alike of a models file, and tells whether it is valid.
func agree(t *testing.T, content string) bool {
	t.Helper()
	_, err := read.Parse("models.json", []byte(content), environment)
	refusal := refused(t, "models.json", []byte(content))
	switch {
	case err == nil && refusal != nil:
		t.Errorf("the parser accepts what the schema refuses:\n%s\n%v", content, refusal)
	case err != nil && strings.Contains(err.Error(), "given twice"): // which of them is looked at differs
	case err != nil && refusal == nil:
		faults := strings.Split(strings.TrimPrefix(err.Error(), "models file models.json: "), "\n  ")
		if len(faults) > 1 {
			faults = faults[1:] // the first tells their number
		}
		for _, fault := range faults {
			if !beyond.MatchString(fault) {
				t.Errorf("the schema accepts what the parser refuses:\n%s\n%s", content, fault)
			}
		}
	}
	return err == nil
}

func TestSchemaAcceptsTheExamples(t *testing.T) {
	files, err := filepath.Glob("../../../../examples/*.[jy]*")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "testdata/python-mock.json", "../../../../deploy/models.json", "../../../../deploy/models-control.json",
		"../../../../integration/testdata/models.json", "../../../../integration/testdata/control.json")
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := refused(t, path, content); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// other is a model that routing can name.
var other = map[string]any{"endpoints": map[string]any{"base_url": "http://other"}}

func TestExamplesOfFieldsAreRight(t *testing.T) {
	// what makes an entry of the form, as far as the field itself does not
	forms := map[string]map[string]any{"command": {"command": "mockvllm"}, "model": {"model": "x", "port": 8001}, "": {}}
	set := func(string) (string, bool) { return "set", true }
	try := func(f strict.Field, value any) {
		entry := map[string]any{f.Name: value}
		form := append(f.Forms, "")[0]
		if form != "model" {
			entry["endpoints"] = map[string]any{"base_url": "http://localhost:8001"}
		}
		if f.Demand || f.Name == "start" {
			entry["command"] = "mockvllm"
		}
		if f.Demand {
			entry["start"] = "on_demand"
		}
		for name, given := range forms[form] {
			if entry[name] == nil {
				entry[name] = given
			}
		}
		file, err := json.Marshal(map[string]any{"llmModels": map[string]any{"m": entry, "llama-next": other, "partner": other, "embedder": other}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := read.Parse("models.json", file, set); err != nil {
			t.Errorf("the example of %s: %v in %s", f.Name, err, file)
		}
		if err := refused(t, "models.json", file); err != nil {
			t.Errorf("the example of %s: %v", f.Name, err)
		}
	}
	for _, f := range fields.OfModel() {
		if f.Example == nil || f.Doc == "" {
			t.Errorf("%s has no example or no description", f.Name)
		}
		if f.Default != nil {
			try(f, f.Default)
		}
		for _, example := range examples(f) {
			try(f, example)
		}
	}
}

// examples are the example of a field, and with each field of its own the example of that beside those that are needed.
func examples(f strict.Field) []any {
	needed := map[string]any{}
	for _, part := range f.Fields {
		if part.Needed {
			needed[part.Name] = part.Example
		}
	}
	all := []any{f.Example}
	for _, part := range f.Fields {
		for _, example := range examples(part) {
			value := maps.Clone(needed)
			value[part.Name] = example
			if f.Type == "list of objects" {
				all = append(all, []any{value})
			} else {
				all = append(all, value)
			}
		}
	}
	return all
}

// TestSchemaAndParserAgree draws models files from what is right and what is nearly right.
func TestSchemaAndParserAgree(t *testing.T) {
	values := []string{`"mockvllm"`, `"./server"`, `""`, `" "`, `"-x"`, `"a\u0007b"`, `"x"`, `"${NAME}"`, `"http://h:8001/v1"`, `"h:8001"`,
		`"ftp://h"`, `"http://u@h"`, `"http://h/?q"`, `"1m30s"`, `"90"`, `"0s"`, `"-1s"`, `"1w"`, `"µs"`, `".5h"`, `"+2s"`,
		`0`, `-1`, `1`, `1.5`, `8001`, `70000`, `256`, `1e9`, `true`, `null`, `false`, `[]`, `["a", 1]`, `[1]`, `[{}]`, `["a", true]`, `["--port", "8003"]`, `["serve", "x", "--port", "8003"]`,
		`["v1"]`, `["a b"]`, `{}`, `{"A": "1", "B": 2}`, `{"A-B": "x"}`, `{"A": true}`, `{"A": null}`, `{"port": 1}`, `{"--api_key": "k"}`, `{"dtype": ["a", 1]}`,
		`{"dtype": [[]]}`, `{"name": "c"}`, `{"name": ""}`, `{"name": "c", "namespace": "n"}`, `{"name": "c", "names": ["d"]}`, `{"names": ["c", "d"]}`, `{"names": ["c", "c"]}`, `{"names": [1]}`, `{"names": "c"}`, `{"namespace": "n"}`,
		`{"base_url": "http://h:8001"}`, `{"base_url": "https://h/v1/"}`, `{"base_url": 1}`, `{"base_url": "http://h:8001", "x": 1}`,
		`{"servers": [{"base_url": "http://h:1"}, {"base_url": "http://h:2", "weight": 3}]}`, `{"servers": [{"base_url": "http://h:1", "weight": 0}]}`,
		`{"servers": []}`, `{"servers": [{}]}`, `{"servers": [{"base_url": "http://h:1"}, {"base_url": "http://h:1/v1"}]}`,
		`{"policy": "weighted", "session_header": "X-A", "hedge": true}`, `{"session_header": "a b"}`, `{"session_header": "${NAME}"}`, `{"hedge": 1}`,
		`{"canary": [{"model": "partner", "percent": 60}, {"model": "org/next", "percent": 50}]}`, `{"canary": [{"model": "partner", "percent": 0.5}]}`,
		`{"canary": [{"model": "partner", "percent": 0}]}`, `{"canary": [{"model": "", "percent": 101}]}`, `{"canary": [{"model": "a b"}]}`,
		`{"fallbacks": ["partner", "org/next"]}`, `{"fallbacks": ["partner", "partner"]}`, `{"fallbacks": ["m"]}`, `{"fallbacks": [1]}`, `{"fallbacks": ["a b"]}`,
		`{"inflight": 1, "queue": 2, "queue_timeout": "1m"}`, `{"inflight": 0}`, `{"queue": 1.5}`, `{"keep_alive": "yes"}`,
		`{"drain": 1, "idle": "1s"}`, `{"connect": 0}`, `{"drain": 604801}`, `{"drain": "x"}`, `{"first_bite": 1}`, `"never"`, `"auto"`, `"on_demand"`, `"development"`}
	var names []string
	good := map[string][]string{"endpoints": {`{"base_url": "http://h:8001"}`}, "command": {`"mockvllm"`, `"./server"`}, "port": {`8001`}}
	for _, f := range fields.OfModel() {
		names = append(names, f.Name)
		example, err := json.Marshal(f.Example)
		if err != nil {
			t.Fatal(err)
		}
		good[f.Name] = append(good[f.Name], string(example))
	}
	names = append(names, "comand")
	begin := []string{`{}`, `{"command": "mockvllm", "start": "on_demand"}`, `{"command": "mockvllm"}`, `{"model": "x", "port": 8001}`, `{"endpoints": {"base_url": "http://h:8001"}}`}
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	var valid int
	for range 20000 {
		fields := map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(pick(begin)), &fields); err != nil {
			t.Fatal(err)
		}
		for range random.IntN(4) {
			name := pick(names)
			if value := pick(values); good[name] == nil || random.IntN(4) == 0 {
				fields[name] = json.RawMessage(value)
			} else {
				fields[name] = json.RawMessage(pick(good[name]))
			}
		}
		id := pick([]string{"m", "m", "m", "org/m", "v1", "v1/x", "a b", "", strings.Repeat("x", 201)})
		models := map[string]any{id: fields}
		if fields["routing"] != nil { // else they only cost time
			models["partner"], models["org/next"] = other, other
		}
		file, err := json.Marshal(map[string]any{"llmModels": models})
		if err != nil {
			t.Fatal(err)
		}
		if agree(t, string(file)) {
			valid++
		}
		if t.Failed() {
			return
		}
	}
	if valid < 1000 {
		t.Errorf("only %d files were valid, too few to mean something", valid)
	}
}

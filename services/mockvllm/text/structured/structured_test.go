package structured_test

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured"
)

func source(seed uint64, guide bool) structured.Source {
	return structured.Source{Rand: rand.New(rand.NewPCG(seed, 5)), Guide: guide, Asked: "London, no?"}
}

// differs lists constraints that vLLM 0.32 takes, or refuses in other words, and why this package does not.
var differs = map[string]string{
	`(a{1000}){1000}`:  "nested or long repetitions are not made",
	`[[:foo:]]`:        "the class is not known",
	`(?P<n>a)(?P<n>b)`: "vLLM refuses a pointless expression that can be made",
	`{"structures": [{"begin": "<f>", "schema": {"type":"nope"}, "end": "</f>"}], "triggers": ["<f"]}`: "vLLM ignores what it does not follow",
	`{`: "other words (of a structural tag)",
	`{"type":"object","patternProperties":{"^a":{}},"properties":{"x":{"type":"string","pattern":"("}}}`: "vLLM reads all of the expression that outlines makes, and tells the place in it",
	`{"type": "integer", "multipleOf": 2, "oneOf": [{"minimum": 1}, {"maximum": 5}]}`:                    "vLLM refuses alternatives that overlap, here they are told apart",
}

// TestRefusesAsVLLM: testdata/refusals.jsonl is what vLLM said to each constraint, null where it takes it. What is taken gives texts.
func TestRefusesAsVLLM(t *testing.T) {
	file, err := os.Open("testdata/refusals.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		var r struct {
			Kind  structured.Kind
			Spec  string
			Error *string
		}
		if err := json.Unmarshal(scanner.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		c, err := structured.Compile(r.Kind, r.Spec)
		got, want := "taken", "taken"
		if err != nil {
			got = err.Error()
		} else {
			c.Generate(source(1, true))
			c.Generate(source(2, false))
		}
		if r.Error != nil {
			want = *r.Error
		}
		if reason, ok := differs[r.Spec]; (got != want) != (ok && (r.Spec != "{" || r.Kind == structured.StructuralTag)) {
			t.Errorf("%s %s (%s)\n got %s\nwant %s", r.Kind, r.Spec, reason, got, want)
		}
	}
}

// TestTakesAsXGrammar: testdata/xgrammar.jsonl is what xgrammar itself takes, which decides where vLLM turns to another library, and
// whether it takes the parameters of a strict tool.
func TestTakesAsXGrammar(t *testing.T) {
	file, err := os.Open("testdata/xgrammar.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		var line struct {
			Kind  structured.Kind
			Spec  string
			Taken bool
		}
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line.Kind == "tool" {
			parameters, err := pyjson.DecodeString(line.Spec)
			if err != nil || structured.Holds(parameters) != line.Taken {
				t.Errorf("parameters %s (%v): want %v", line.Spec, err, line.Taken)
			}
			continue
		}
		c, err := structured.Compile(line.Kind, line.Spec)
		if taken := err == nil && (!c.Fails && !c.Void || c.Void && line.Taken); taken != line.Taken {
			t.Errorf("%s %s: taken %v (%v), want %v", line.Kind, line.Spec, taken, err, line.Taken)
		}
	}
}

func TestRefuses(t *testing.T) {
	f := func(kind structured.Kind, spec, want string) {
		t.Helper()
		if _, err := structured.Compile(kind, spec); err == nil || err.Error() != want {
			t.Errorf("%s %.100s: %v, want %s", kind, spec, err, want)
		}
	}
	f(structured.Choice, `[]`, "Choice '[]' cannot be an empty list")
	f(structured.Grammar, " \n", "structured_outputs.grammar cannot be an empty string")
	f(structured.JSON, "", "structured_outputs.json cannot be an empty string")
	f(structured.StructuralTag, "", "structured_outputs.structural_tag cannot be an empty string")
	f(structured.Regex, "a\x00", `structured_outputs.regex must not contain a NUL character ('\x00')`)
	f(structured.JSONObject, "false", "structured_outputs.json_object must be True if set; omit structured_outputs to disable structured outputs")
	f(structured.JSON, strings.Repeat(`{"not":`, 65)+`{}`+strings.Repeat("}", 65),
		"The JSON schema is nested too deeply: objects and arrays may nest at most 64 levels")
	large := "Grammar error: values of the schema have more than 1000 items or members, or more than 65536 bytes"
	f(structured.JSON, `{"type": "array", "items": {"type": "integer"}, "minItems": 2000}`, large)
	f(structured.JSON, `{"type": "object", "properties": {"a": {"type": "string", "minLength": 70000}}, "required": ["a"]}`, large)
	f(structured.StructuralTag, `{"type": "structural_tag", "format": {"type": "json_schema", "json_schema":
		{"type": "array", "items": {"type": "integer"}, "minItems": 2000}}}`, large)
}

func TestGenerate(t *testing.T) {
	f := func(kind structured.Kind, spec, guided, matches string) {
		t.Helper()
		c, err := structured.Compile(kind, spec)
		if err != nil {
			t.Errorf("%s %s: %v", kind, spec, err)
			return
		}
		if got := c.Generate(source(1, true)); got != guided {
			t.Errorf("%s %s: %q, want %q", kind, spec, got, guided)
		}
		re := regexp.MustCompile("^(?s:" + matches + ")$")
		for seed := range uint64(50) {
			if got := c.Generate(source(seed, false)); !re.MatchString(got) {
				t.Errorf("%s %s: %q", kind, spec, got)
				return
			}
		}
	}
	f(structured.JSON, `{"type": "object", "properties": {"city": {"enum": ["Paris", "London"]}}, "required": ["city"], "additionalProperties": false}`,
		`{"city": "London"}`, `\{"city": "(Paris|London)"\}`)
	f(structured.JSON, `{"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}`, `{}`, `\{.*\}`) // has no end
	f(structured.JSON, `{"enum": ["c", "f", "on", "London"]}`, `"London"`, `"(c|f|on|London)"`)                     // "Londoner" would be no London
	f(structured.JSONObject, "true", `{"response": "London, no?"}`, `\{.*\}`)
	f(structured.Regex, `[a-c]{2}\d`, "aa1", `[a-c]{2}\d`)
	f(structured.Choice, `["yes", "no"]`, "no", "yes|no")
	f(structured.Choice, `["", "a\"b"]`, "", `|a"b`)
	f(structured.Grammar, "root ::= \"SELECT \" col (\", \" col)*\ncol ::= [a-z]+", "SELECT a, a", `SELECT [a-z]+(, [a-z]+)*`)
	f(structured.Grammar, "start: \"a\" b\nb: /[0-9]+/", "a1", `a[0-9]+`)
	f(structured.StructuralTag, `{"structures": [{"begin": "<f>", "schema": {"type": "integer"}, "end": "</f>"}], "triggers": ["<f"]}`, "<f>1</f>", `<f>-?\d+</f>`)
	f(structured.StructuralTag, `{"type": "structural_tag", "format": {"type": "sequence", "elements": [{"type": "const_string", "value": "<a>"},
		{"type": "or", "elements": [{"type": "regex", "pattern": "x+"}, {"type": "grammar", "grammar": "root ::= \"y\""}]}]}}`, "<a>x", `<a>(x+|y)`)
	f(structured.StructuralTag, `{"type": "structural_tag", "format": {"type": "triggered_tags", "triggers": ["<f"], "tags": [{"begin": "<f>",
		"content": {"type": "json_schema", "json_schema": {"type": "boolean"}}, "end": "</f>"}]}}`, "<f>true</f>", `<f>(true|false)</f>`)
}

func TestTool(t *testing.T) {
	f := func(parameters, want string) {
		t.Helper()
		c, err := structured.Tool(parameters)
		if err != nil {
			t.Error(err)
		} else if got := c.Generate(source(1, true)); got != want {
			t.Errorf("%s: %s, want %s", parameters, got, want)
		}
	}
	f("", "{}")
	f("null", "{}")
	f(`{"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": true}}}`, `{"tags": ["no"]}`)
	f(`{"type": "nope"}`, "{}")
	f(`{"type": "object", "properties": {"a": false}, "required": ["a"]}`, "{}")
	if _, err := structured.Tool(`{"type": "object", "properties": {"a": {"type": "array", "minItems": 2000}}, "required": ["a"]}`); err == nil {
		t.Error("values that are too large are made")
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{`{"type":"integer","multipleOf":3}`, `a(b|c)*`, "root ::= [a-z]+", "start: /a/", `["a"]`, `{"structures":[],"triggers":[]}`} {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, spec string) {
		for _, kind := range []structured.Kind{"json", "json_object", "regex", "choice", "grammar", "structural_tag", "other"} {
			if c, err := structured.Compile(kind, spec); err == nil {
				c.Generate(source(1, true))
				c.Generate(source(1, false))
			}
		}
	})
}

// TestGoesOn: where nothing ends a text, a random one is long, as those of a model that talks at random; guided ones stay short.
func TestGoesOn(t *testing.T) {
	f := func(kind structured.Kind, spec string) {
		t.Helper()
		c, err := structured.Compile(kind, spec)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(20) {
			long, short := c.Generate(source(seed, false)), c.Generate(source(seed, true))
			if len(long) < 40 || len(short) >= 40 {
				t.Errorf("%s: random %q, guided %q", spec, long, short)
			}
		}
	}
	f("json", `{"type": "string"}`)
	f("json", `{"type": "integer"}`)
	f("json", `{"type": "integer", "minimum": 3}`)
	f("regex", `[a-z]+`)
	f("regex", `x[0-9]*`)
}

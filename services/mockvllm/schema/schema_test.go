package schema_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// line is one of testdata/table.jsonl, see tools/differ.py.
type line struct {
	Model string
	Body  string
	// What vLLM says: an error, or what it made of the body.
	Status               int
	Type, Param, Message string
	Dump                 string
}

func TestAsVLLM(t *testing.T) {
	name := os.Getenv("SCHEMA_TABLE") // a bigger table than the committed one, from tools/differ.py
	if name == "" {
		name = "testdata/table.jsonl"
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	good, bad := map[string]int{}, map[string]int{}
	for lines.Scan() {
		var want line
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		if check(t, want) {
			good[want.Model]++
		} else {
			bad[want.Model]++
		}
	}
	for model, n := range good {
		t.Logf("%s: %d of %d agree", model, n, n+bad[model])
	}
}

func check(t *testing.T, want line) bool {
	v, err := parse(want.Model, []byte(want.Body))
	got := line{Model: want.Model, Body: want.Body}
	var refused *schema.Error
	if errors.As(err, &refused) {
		got.Status, got.Type, got.Param, got.Message = refused.Status, refused.Type, refused.Param, refused.Message
	} else {
		got.Dump = pyjson.Dumps(dump(v))
	}
	if got != want {
		t.Errorf("%s\n%s\n got %d %s %q\n     %s%s\nwant %d %s %q\n     %s%s", want.Model, want.Body,
			got.Status, got.Type, got.Param, got.Message, got.Dump, want.Status, want.Type, want.Param, want.Message, want.Dump)
		return false
	}
	return true
}

// parse is what a handler does.
func parse(model string, text []byte) (*schema.Values, error) {
	body, err := pyjson.Decode(text)
	var syntax *pyjson.SyntaxError
	if errors.As(err, &syntax) {
		return nil, schema.Malformed(syntax)
	}
	if err != nil {
		return nil, err
	}
	return schema.Parse(model, body)
}

// dataclass tells whether the class does not know what it was given.
func dataclass(v *schema.Values) bool {
	classes := []string{"StructuredOutputsParams", "RepetitionDetectionParams", "WeightVersionSpan"}
	return slices.Contains(classes, v.Model()) || v.Model() == "Logprob" && slices.Contains(v.Fields(), "rank") // not OpenAI's
}

// dump writes models as objects with their class, and what they were given.
func dump(v any) any {
	switch v := v.(type) {
	case *schema.Values:
		o := &pyjson.Object{}
		o.Set("=", v.Model())
		for _, name := range v.Fields() {
			val := v.Get(name)
			switch {
			case v.Random(name):
				val = "random"
			case name == "sampling_params":
				val = "SamplingParams"
			}
			o.Set(name, dump(val))
			if v.Given(name) && !dataclass(v) {
				o.Set("+"+name, true)
			}
		}
		return o
	case *pyjson.Object:
		o := &pyjson.Object{}
		for key, val := range v.All() {
			o.Set(key, dump(val))
		}
		return o
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = dump(item)
		}
		return list
	case *schema.Iterator:
		items, err := v.Items()
		if err != nil {
			return "late: " + err.Error()
		}
		return dump(items)
	}
	return v
}

func TestRefused(t *testing.T) {
	f := func(model, text, want, param string) {
		t.Helper()
		_, err := parse(model, []byte(text))
		var refused *schema.Error
		if !errors.As(err, &refused) || refused.Message != want || refused.Param != param {
			t.Errorf("%s: got %#v, want %q (%s)", text, err, want, param)
		}
	}
	const chat = "ChatCompletionRequest"
	f(chat, `{x`, "1 validation error:\n  {'type': 'json_invalid', 'loc': 'body.1', 'msg': 'JSON decode error', 'input': '<dict of 0 items>', "+
		"'ctx': {'error': 'Expecting property name enclosed in double quotes'}}", "body.1")
	f(chat, `null`, "1 validation error:\n  {'type': 'missing', 'loc': 'body', 'msg': 'Field required', 'input': 'None'}", "body")
	f(chat, `42`, "1 validation error:\n  {'type': 'model_attributes_type', 'loc': 'body', "+
		"'msg': 'Input should be a valid dictionary or object to extract fields from', 'input': '42'}", "body")
	f(chat, `{"messages": 5}`, "'int' object is not iterable", "")
	f(chat, `{"messages": null}`, "'NoneType' object is not iterable", "")
}

func TestValues(t *testing.T) {
	body, err := pyjson.Decode([]byte(`{"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}], "n": "3", "seed": null,
		"temperature": 1, "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 99999999999999999999, "own": 1}`))
	if err != nil {
		t.Fatal(err)
	}
	v, err := schema.Parse("ChatCompletionRequest", body)
	if err != nil {
		t.Fatal(err)
	}
	f := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	n, ok := v.Int("n")
	f("n", n, int64(3))
	f("n is there", ok, true)
	temperature, _ := v.Float("temperature")
	f("temperature", temperature, 1.0)
	f("include_usage", v.Values("stream_options").Bool("include_usage"), true)
	limit, _ := v.Int("max_tokens")
	f("max_tokens", limit, int64(math.MaxInt64))
	f("seed given", v.Given("seed"), true)
	f("seed null", v.Null("seed"), true)
	f("top_p given", v.Given("top_p"), false)
	f("request_id is vLLM's own", v.Random("request_id"), true)
	f("tool_choice", v.Get("tool_choice"), "none")
	f("own", v.Extra()[0].Key, "own")
	messages, _ := v.List("messages")
	parts, _ := messages[0].(*pyjson.Object).Get("content")
	if items, ok, err := schema.Items(parts); !ok || err != nil || len(items) != 1 {
		t.Errorf("content is %v, %v", items, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, body := range []string{
		`{"messages": [{"role": "user", "content": [{"type": "text"}], "tool_calls": {"a": 1}, "reasoning_content": "x"}], "tools": [{"function": {}}]}`,
		`{"prompt": [1, "x", [2]], "stop": ["a", "b", "c", "d", "e"], "structured_outputs": {"choice": []}, "response_format": {"type": "structural_tag"}}`,
		`{"input": [{"type": "function_call"}, {"type": "message", "role": "assistant", "content": []}], "tool_choice": {"type": "function", "name": []}}`,
		`{"model": "x", "max_tokens": 1, "messages": [{"role": "user", "content": [{"type": "tool_addition", "tool": {"type": "x"}}]}], "thinking": {"type": {}}}`,
		`{"token_ids": [1], "sampling_params": {"n": 0}, "features": {"mm_hashes": {"image": ["a"]}, "mm_placeholders": {"image": [{"offset": 0, "length": 1}]}}}`,
		`[[[[[[[[]]]]]]]]`, `{"queries": "\ud800", "documents": [{"content": {}}], "\udfff": 1}`,
	} {
		for i := range schema.Models() {
			f.Add(uint(i), body)
		}
	}
	f.Fuzz(func(t *testing.T, which uint, text string) {
		body, err := pyjson.DecodeString(text)
		if err != nil {
			return
		}
		names := schema.Models()
		v, err := schema.Parse(names[which%uint(len(names))], body)
		var refused *schema.Error
		if err != nil && (!errors.As(err, &refused) || refused.Message == "" || refused.Status < 400) {
			t.Errorf("%s: %v", text, err)
		}
		if err == nil {
			dump(v)
		}
	})
}

// TestDepth nests as deep as a body can in each model: no schema refers to itself, so the work stays in proportion.
func TestDepth(t *testing.T) {
	deep := strings.Repeat(`[{"content": `, pyjson.MaxDepth/2-2) + "1" + strings.Repeat("}]", pyjson.MaxDepth/2-2)
	for _, model := range schema.Models() {
		for _, key := range []string{"messages", "input", "tools", "prompt", "text"} {
			body, err := pyjson.DecodeString(`{"` + key + `": ` + deep + "}")
			if err != nil {
				t.Fatal(err)
			}
			if v, err := schema.Parse(model, body); err == nil {
				dump(v)
			}
		}
	}
}

func BenchmarkChat(b *testing.B) {
	doc := []byte(`{"model": "tiny", "messages": [{"role": "system", "content": "You are a helpful assistant that answers briefly."}, ` +
		`{"role": "user", "content": "What is the capital of France, and how many people live there today?"}], ` +
		`"temperature": 0.7, "max_tokens": 128, "stream": true, "stream_options": {"include_usage": true}, "top_p": 0.95}`)
	b.ReportAllocs()
	body, _ := pyjson.Decode(doc)
	for b.Loop() {
		if _, err := schema.Parse("ChatCompletionRequest", body); err != nil {
			b.Fatal(err)
		}
	}
}

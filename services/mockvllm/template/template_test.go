package template_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template"
)

func object(t testing.TB, doc string) *pyjson.Object {
	t.Helper()
	v, err := pyjson.DecodeString(doc)
	if err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return v.(*pyjson.Object)
}

func compiled(t testing.TB, name string) *template.Template {
	t.Helper()
	if name == "tiny" {
		return template.Tiny()
	}
	source, err := os.ReadFile("testdata/" + name + ".jinja")
	if err != nil {
		t.Fatal(err)
	}
	tpl, err := template.Compile(string(source))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return tpl
}

func objects(list any) []*pyjson.Object {
	var out []*pyjson.Object
	for _, v := range list.([]any) {
		out = append(out, v.(*pyjson.Object))
	}
	return out
}

// TestRendered holds templates in the manner of the big families against transformers' apply_chat_template, and the
// detected format of content against vLLM's.
func TestRendered(t *testing.T) {
	data, err := os.ReadFile("testdata/rendered.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		c := object(t, line)
		get := func(key string) any { v, _ := c.Get(key); return v }
		text := func(key string) string { s, _ := get(key).(string); return s }
		tpl := compiled(t, text("template"))
		if string(tpl.Format()) != text("format") {
			t.Errorf("%s wants content as %q, not %q", text("template"), text("format"), tpl.Format())
		}
		in := template.Input{Messages: objects(get("messages")), BOSToken: "<|begin|>", EOSToken: "<|end|>",
			AddGenerationPrompt: get("add_generation_prompt") == true, ContinueFinalMessage: get("continue_final_message") == true}
		in.Tools, _ = get("tools").([]any)
		in.Kwargs, _ = get("kwargs").(*pyjson.Object)
		got, err := tpl.Render(in)
		switch {
		case err != nil && text("type") == "":
			t.Errorf("%s %s: error %v, want %q", text("template"), text("name"), err, text("want"))
		case err == nil && text("type") != "":
			t.Errorf("%s %s: %q, want error %q", text("template"), text("name"), got, text("error"))
		case err != nil && err.Error() != text("error"):
			t.Errorf("%s %s: error %q, want %q", text("template"), text("name"), err, text("error"))
		case err == nil:
			if d := cmp.Diff(text("want"), got); d != "" {
				t.Errorf("%s %s (-want +got):\n%s", text("template"), text("name"), d)
			}
		}
	}
}

// TestTinyByHand: the function that renders the tiny model's template agrees with the template itself.
func TestTinyByHand(t *testing.T) {
	slow, err := template.Compile(template.Tiny().Source() + "{# #}") // another source, so it is interpreted
	if err != nil {
		t.Fatal(err)
	}
	f := func(in template.Input) {
		t.Helper()
		want, err1 := slow.Render(in)
		got, err2 := template.Tiny().Render(in)
		if want != got || (err1 == nil) != (err2 == nil) {
			t.Errorf("%+v\n by hand %q, %v\ntemplate %q, %v", in, got, err2, want, err1)
		}
	}
	for _, messages := range []string{`[]`, `[{"role":"user","content":"hé <>&\n"}]`, `[{"role":"user","content":null}]`, `[{"role":"user"}]`,
		`[{"role":"user","content":""},{"role":"assistant","content":"x"}]`, `[{"role":1,"content":"x"}]`, `[{"content":"x"}]`,
		`[{"role":"user","content":[{"type":"text","text":"x"}]}]`, `[{"role":"user","content":5}]`, `[{"role":"developer","content":"x"}]`} {
		list := objects(must(t, messages))
		for _, tools := range [][]any{nil, {}, {object(t, `{"b":1.0,"a":"é<\u2028'"}`), object(t, `{}`)}} {
			for _, open := range []bool{false, true} {
				for _, bos := range []string{"", "<|begin|>"} {
					f(template.Input{Messages: list, Tools: tools, AddGenerationPrompt: open, BOSToken: bos})
				}
			}
		}
	}
}

func must(t *testing.T, doc string) any {
	t.Helper()
	v, err := pyjson.DecodeString(doc)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMessage(t *testing.T) {
	f := func(in string, format template.Format, want string) {
		t.Helper()
		if d := cmp.Diff(want, pyjson.Dumps(template.Message(object(t, in), format))); d != "" {
			t.Errorf("%s as %s (-want +got):\n%s", in, format, d)
		}
	}
	f(`{"content":"a","role":"user","x":1,"name":"n"}`, template.String, `{"role": "user", "content": "a", "name": "n"}`)
	f(`{"content":"a","role":"user"}`, template.OpenAI, `{"role": "user", "content": [{"type": "text", "text": "a"}]}`)
	f(`{"role":"user","content":[{"type":"text","text":"a"},"b",{"type":"refusal","refusal":"c"}]}`, template.String, `{"role": "user", "content": "a\nb\nc"}`)
	f(`{"role":"assistant"}`, template.String, `{"role": "assistant", "content": ""}`)
	f(`{"role":"assistant","content":null}`, template.OpenAI, `{"role": "assistant", "content": []}`)
	f(`{"role":"tool","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"tool_call_id":"i"}`, template.OpenAI,
		`{"role": "tool", "content": "a\nb", "tool_call_id": "i"}`)
	f(`{"role":"assistant","content":"a","reasoning":"r","tool_calls":[]}`, template.String,
		`{"role": "assistant", "content": "a", "reasoning": "r", "reasoning_content": "r"}`)
	for args, want := range map[string]string{`"{\"a\": 1}"`: `{"a": 1}`, `"nope"`: `{}`, `"[1]"`: `{}`, `null`: `{}`, `{"b":2}`: `{"b": 2}`} {
		f(`{"role":"assistant","tool_calls":[{"id":"i","type":"function","function":{"name":"f","arguments":`+args+`}}]}`, template.String,
			`{"role": "assistant", "content": "", "tool_calls": [{"id": "i", "type": "function", "function": {"name": "f", "arguments": `+want+`}}]}`)
	}
	f(`{"role":"system","content":"x-anthropic-billing-header: cch=1\nBe brief."}`, template.String, `{"role": "system", "content": "Be brief."}`)
	f(`{"role":"system","content":[{"type":"text","text":"x-anthropic-billing-header: cch=1"},"b"]}`, template.String, `{"role": "system", "content": "b"}`)
	f(`{"role":"user","content":"x-anthropic-billing-header"}`, template.String, `{"role": "user", "content": "x-anthropic-billing-header"}`)
	f(`{"role":"developer","content":"x","tools":[1]}`, template.String, `{"role": "developer", "content": "x", "tools": [1]}`)
}

func TestDeveloper(t *testing.T) {
	f := func(messages, want string) {
		t.Helper()
		got, err := compiled(t, "chatml").Render(template.Input{Messages: objects(must(t, messages))})
		if got = strings.NewReplacer("<|im_start|>", "[", "<|im_end|>\n", "]").Replace(got); got != want || err != nil {
			t.Errorf("%s = %q, %v; want %q", messages, got, err, want)
		}
	}
	f(`[{"role":"developer","content":"d"},{"role":"user","content":"u"}]`, "[system\nd][user\nu]")
	f(`[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"developer","content":"d"}]`, "[system\ns\n\nd][user\nu]")
	f(`[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"system","content":"t"}]`, "[system\ns][user\nu][system\nt]")
}

// TestUnexpectedKwargs: as a real server answered to each of them.
func TestUnexpectedKwargs(t *testing.T) {
	f := func(kwargs, want string) {
		t.Helper()
		in := template.Input{Kwargs: object(t, kwargs), Messages: []*pyjson.Object{object(t, `{"role":"user","content":"x"}`)}, AddGenerationPrompt: true}
		got, err := template.Tiny().Render(in)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", kwargs, got, want)
		}
	}
	const fine = "<|user|>\nx<|end|>\n<|assistant|>\n"
	const tools = "Tools should either be a JSON schema, or a callable function with type hints and a docstring suitable for auto-conversion to a schema."
	const documents = "Documents should be a list of dicts with 'title' and 'text' keys!"
	f(`{"tokenize":true}`, fine)
	f(`{"chat_template":null}`, fine)
	f(`{"add_generation_prompt":false}`, fine)
	f(`{"continue_final_message":true}`, fine)
	f(`{"messages":[]}`, "jinja2.environment.Template.render() got multiple values for keyword argument 'messages'")
	f(`{"conversation":[]}`, "safe_apply_chat_template() got multiple values for argument 'conversation'")
	f(`{"tokenizer":1}`, "safe_apply_chat_template() got multiple values for argument 'tokenizer'")
	f(`{"self":1}`, "maybe_make_thread_pool.<locals>.TokenizerPool.apply_chat_template() got multiple values for argument 'self'")
	f(`{"tools":[1]}`, tools)
	f(`{"tools":"x"}`, tools)
	f(`{"tools":[]}`, fine)
	f(`{"documents":[1]}`, documents)
}

func BenchmarkTiny(b *testing.B) {
	in := template.Input{Messages: []*pyjson.Object{object(b, `{"role":"user","content":"Write a short note about batching."}`)}, AddGenerationPrompt: true, BOSToken: "<|begin|>"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := template.Tiny().Render(in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkQwen3(b *testing.B) {
	tpl := compiled(b, "qwen3")
	in := template.Input{Messages: []*pyjson.Object{object(b, `{"role":"user","content":"Write a short note about batching."}`)}, AddGenerationPrompt: true}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tpl.Render(in); err != nil {
			b.Fatal(err)
		}
	}
}

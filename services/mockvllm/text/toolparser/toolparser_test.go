package toolparser_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser"
)

// calls that every format can say. The third has no properties in its schema: all formats keep strings there.
var someCalls = []toolparser.Call{
	{Name: "get_weather", Arguments: `{"city": "Paris \"<&>\" é😀", "days": 3, "opt": null, "f": 1.5, "l": [1, 2], "b": true, "o": {"x": 1}}`},
	{Name: "ping", Arguments: `{}`},
	{Name: "ping", Arguments: `{"text": "a\nb", "more": "}{ ] ["}`},
}

// TestWriteParse: what is written is read back, whole and in pieces of any size.
func TestWriteParse(t *testing.T) {
	for _, name := range toolparser.Supported() {
		f, _ := toolparser.Lookup(name)
		text := f.Write(someCalls)
		content, got := f.Parse(text, tools)
		if diff := cmp.Diff(someCalls, got, cmpopts.IgnoreFields(toolparser.Call{}, "ID")); diff != "" || content != nil {
			t.Errorf("%s %q, content %v (-want +got):\n%s", name, text, content, diff)
		}
		if name == "mistral" {
			got = withoutIDs(t, got)
		}
		for size := 1; size <= 9; size++ {
			words, calls := streamed(f, pieces(text, size))
			if name == "mistral" { // they are made up
				calls = withoutIDs(t, calls)
			}
			if diff := cmp.Diff(got, calls); diff != "" || strings.TrimSpace(words) != "" {
				t.Errorf("%s by %d: words %q (-whole +streamed):\n%s", name, size, words, diff)
			}
		}
	}
}

var mistralID = regexp.MustCompile("^[0-9A-Za-z]{9}$")

// withoutIDs takes out ids as vLLM makes them for mistral.
func withoutIDs(t *testing.T, calls []toolparser.Call) []toolparser.Call {
	t.Helper()
	calls = slices.Clone(calls)
	for i, c := range calls {
		if !mistralID.MatchString(c.ID) {
			t.Errorf("%s has the id %q", c.Name, c.ID)
		}
		calls[i].ID = ""
	}
	return calls
}

func TestIDs(t *testing.T) {
	f, _ := toolparser.Lookup("kimi_k2")
	_, calls := f.Parse(f.Write(someCalls), nil)
	if calls[0].ID != "functions.get_weather:0" || calls[2].ID != "functions.ping:2" {
		t.Errorf("%+v", calls)
	}
}

// TestHermes: the texts of vLLM's captured answers, and texts that end early.
func TestHermes(t *testing.T) {
	hermes, _ := toolparser.Lookup("hermes")
	f := func(text string, content string, want ...toolparser.Call) {
		t.Helper()
		got, calls := hermes.Parse(text, nil)
		if diff := cmp.Diff(want, calls); diff != "" || got == nil && content != "" || got != nil && *got != content {
			t.Errorf("%q: content %v, want %q, calls (-want +got):\n%s", text, got, content, diff)
		}
	}
	paris, utc := toolparser.Call{Name: "get_weather", Arguments: `{"city": "Paris"}`}, toolparser.Call{Name: "get_time", Arguments: `{"zone": "UTC"}`}
	const one = "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>"
	f("words", "words")
	f("", "")
	f(one, "", paris)
	f("Sure. "+one+"\n<tool_call>\n{\"name\": \"get_time\", \"arguments\": {\"zone\": \"UTC\"}}\n</tool_call> lost", "Sure. ", paris, utc)
	f("<tool_call>{\"name\": \"ping\", \"arguments\": 50}", "", toolparser.Call{Name: "ping", Arguments: "50"})
	f("<tool_call>{\"arguments\":{\"a\":[1,2]},\"name\":\"x\"}</tool_call>", "", toolparser.Call{Name: "x", Arguments: `{"a": [1, 2]}`})
	f("<tool_", "<tool_")
	f(one+"<tool_call>", one+"<tool_call>")
	f(one[:len(one)-20], one[:len(one)-20])
	for _, none := range []string{`{}`, `{"name": "a"}`, `{"arguments": {}}`, `{"name": 5, "arguments": {}}`, `[]`, ``} {
		f("<tool_call>"+none+"</tool_call>", "<tool_call>"+none+"</tool_call>")
	}
}

// TestHermesDeltas: as captured, space is held back, and nothing is sent for marks.
func TestHermesDeltas(t *testing.T) {
	hermes, _ := toolparser.Lookup("hermes")
	s := hermes.Stream(nil)
	f := func(piece, content, name, arguments string) {
		t.Helper()
		d, ok := s.Feed(piece)
		gotName, gotArguments := "", ""
		for _, c := range d.Calls {
			gotName, gotArguments = gotName+c.Name, gotArguments+c.Arguments
		}
		if d.Content != content || gotName != name || gotArguments != arguments || ok != (content+name+arguments != "") {
			t.Errorf("%q: %+v, %v", piece, d, ok)
		}
	}
	f("Hi <", "Hi ", "", "")
	f("b ", "<b ", "", "")
	f("<tool_call", "", "", "")
	f(">\n{\"name\": \"f", "", "", "")
	f("\"", "", "f", "")
	f(", \"arguments\":", "", "", "")
	f(" ", "", "", "")
	f("{\"a\":", "", "", `{"a":`)
	f(" ", "", "", "")
	f("1", "", "", " 1")
	f("}", "", "", "}")
	f("}", "", "", "")
	f("\n</tool", "", "", "")
	f("_call> lost", "", "", "")
}

// TestHermesUnstreamed: of a call that ends before its arguments begin vLLM says that they are an empty object.
func TestHermesUnstreamed(t *testing.T) {
	hermes, _ := toolparser.Lookup("hermes")
	f := func(text, want string) {
		t.Helper()
		s := hermes.Stream(nil)
		s.Feed(text)
		m, ok := s.(toolparser.Unstreamer)
		if !ok || m.Unstreamed() != want {
			t.Errorf("%q: unstreamed %q, %v, want %q", text, m.Unstreamed(), ok, want)
		}
	}
	f(`<tool_call>{"name": "f"`, "{}")
	f(`<tool_call>{"name": "f", "arguments": `, "{}")
	f(`<tool_call>{"name": "f", "arguments": {"a`, "")
}

// TestRepeatedArguments: of equal names the last value counts, at the place of the first, as in Python's dict.
func TestRepeatedArguments(t *testing.T) {
	pythonic, _ := toolparser.Lookup("pythonic")
	_, got := pythonic.Parse(`[f(a=1, b={"k": 1, "k": [None, -1.50]}, a="x")]`, nil)
	want := []toolparser.Call{{Name: "f", Arguments: `{"a": "x", "b": {"k": [null, -1.5]}}`}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestNames(t *testing.T) {
	if len(toolparser.Names) < 50 || toolparser.CheckName("hermes") != nil {
		t.Error(toolparser.Names)
	}
	for _, name := range toolparser.Supported() {
		if err := toolparser.CheckName(name); err != nil {
			t.Error(err)
		}
	}
	err := toolparser.CheckName("nope")
	if err == nil || !strings.HasPrefix(err.Error(), "KeyError: 'invalid tool call parser: nope (chose from { apertus,cohere_command3,") || !strings.HasSuffix(err.Error(), ",xlam })'") {
		t.Error(err)
	}
	if _, ok := toolparser.Lookup("step3"); ok {
		t.Error("step3 is there")
	}
}

func pieces(text string, size int) (list []string) {
	for text != "" {
		n := min(size, len(text))
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n++
		}
		list, text = append(list, text[:n]), text[n:]
	}
	return list
}

// streamed is the sum of all deltas.
func streamed(f toolparser.Format, pieces []string) (words string, calls []toolparser.Call) {
	s := f.Stream(tools)
	add := func(d toolparser.Delta, ok bool) {
		if !ok {
			return
		}
		words += d.Content
		for _, c := range d.Calls {
			if c.Begins {
				calls = append(calls, toolparser.Call{ID: c.ID, Name: c.Name})
			}
			calls[len(calls)-1].Arguments += c.Arguments
		}
	}
	for _, p := range pieces {
		add(s.Feed(p))
	}
	add(s.Finish())
	return words, calls
}

// FuzzStream: no text does harm, and where a text is cut makes no difference to the sum. (What a stream sends of a broken call
// may be less than one piece would bring: nothing that was sent can be taken back. With vLLM's engine, words between calls in one
// piece are lost when the text ends with a call.)
func FuzzStream(f *testing.F) {
	for _, name := range toolparser.Supported() {
		format, _ := toolparser.Lookup(name)
		f.Add(name, "Sure. "+format.Write(someCalls), 3)
		f.Add(name, format.Write(someCalls)[:40], 1)
	}
	f.Add("hermes", "<tool_call><tool_call>{\"name\": \"a\", \"arguments\": {}}</tool_call></tool_call>", 2)
	f.Fuzz(func(t *testing.T, name, text string, size int) {
		format, ok := toolparser.Lookup(name)
		if !ok || !utf8.ValidString(text) || len(text) > 2000 {
			return
		}
		words, calls := streamed(format, pieces(text, max(1, size)))
		again, others := streamed(format, pieces(text, 1))
		names := func(calls []toolparser.Call) (out []string) {
			for _, c := range calls {
				out = append(out, c.Name)
			}
			return out
		}
		if diff := cmp.Diff(names(calls), names(others)); diff != "" || !format.DropsCut && words != again {
			t.Errorf("%s %q: words %q and %q, names:\n%s", name, text, words, again, diff)
		}
		format.Parse(text, tools)
	})
}

package template_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/template"
)

func TestFind(t *testing.T) {
	f := func(name, text, want string) {
		t.Helper()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := template.Find(dir)
		got := ""
		if err == nil {
			got, err = found.Render(template.Input{Messages: []*pyjson.Object{pyjson.NewObject(pyjson.Member{Key: "role", Value: "user"})}})
		}
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s %s: %q, want %q", name, text, got, want)
		}
	}
	f("chat_template.jinja", `<{{ messages[0].role }}>`, "<user>")
	f("tokenizer_config.json", `{"chat_template": "({{ messages[0].role }})"}`, "(user)")
	f("tokenizer_config.json", `{"chat_template": [{"name": "tool_use", "template": "no"}, {"name": "default", "template": "yes"}]}`, "yes")
	f("tokenizer_config.json", `{"chat_template": null}`, "As of transformers v4.44")
	f("other", ``, "As of transformers v4.44")
	f("tokenizer_config.json", `{`, "tokenizer_config.json: unexpected end")
	f("chat_template.jinja", `{% if %}`, "chat_template.jinja: chat template: ")
}

package docs_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/fluidmcp/fluidmcp/services/gateway"
	"github.com/fluidmcp/fluidmcp/services/mockvllm"
	"github.com/fluidmcp/fluidmcp/services/supervisor"
	"github.com/fluidmcp/fluidmcp/services/supervisor/dockerproxy"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/fields"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/read"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

var update = flag.Bool("update", false, "write the generated parts of configuration.md")

const reference = "configuration.md"

// TestConfigurationIsComplete makes the tables of configuration.md anew and compares them with what stands there.
func TestConfigurationIsComplete(t *testing.T) {
	text, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	gatewayCfg, supervisorCfg, mock, proxy := gateway.Default(), supervisor.Default(), mockvllm.Default().Mock, dockerproxy.Default()
	parts := map[string]string{
		"fields":      fieldTables(t),
		"profiles":    profiles(t),
		"remote":      remote(),
		"gateway":     settings(t, "../services/gateway/config.go", "gateway", &gatewayCfg),
		"supervisor":  settings(t, "../services/supervisor/config.go", "supervisor", &supervisorCfg),
		"dockerproxy": settings(t, "../services/supervisor/dockerproxy/config.go", "dockerproxy", &proxy),
		"mockvllm":    settings(t, "../services/mockvllm/config/config.go", "mockvllm", &mock),
	}
	marker := regexp.MustCompile(`(?s)(<!-- generated: (\w+) -->\n).*?(<!-- end -->)`)
	found := 0
	fresh := marker.ReplaceAllFunc(text, func(part []byte) []byte {
		found++
		m := marker.FindSubmatch(part)
		return slices.Concat(m[1], []byte("\n"+parts[string(m[2])]+"\n"), m[3])
	})
	if found != len(parts) {
		t.Errorf("%d generated parts, want %d", found, len(parts))
	}
	if bytes.Equal(text, fresh) {
		return
	}
	if !*update {
		t.Fatalf("docs/%s is not what the code says: run go test ./docs -update, and look at what changed", reference)
	}
	if err := os.WriteFile(reference, fresh, 0o600); err != nil {
		t.Fatal(err)
	}
}

// fieldTables lists the fields of a model, those of each form first.
func fieldTables(t *testing.T) string {
	var out strings.Builder
	listed := 0
	for _, group := range []struct {
		title string
		forms []string
	}{
		{"Given by a command", []string{"command"}},
		{"Given by a model for vLLM", []string{"model"}},
		{"Given by a command or a model for vLLM", []string{"command", "model"}},
		{"Given by a command, a model for vLLM or a container", []string{"command", "model", "container"}},
		{"Given by a container", []string{"container"}},
		{"Given by a Deployment", []string{"deployment"}},
		{"All models", nil},
	} {
		fmt.Fprintf(&out, "### %s\n\n| field | type | default | meaning | example |\n|---|---|---|---|---|\n", group.title)
		for _, f := range fields.OfModel() {
			if !slices.Equal(f.Forms, group.forms) {
				continue
			}
			listed++
			out.WriteString(rows(t, "", f))
		}
		out.WriteString("\n")
	}
	if all := len(fields.OfModel()); listed != all {
		t.Errorf("%d of %d fields are in a table; the others belong to forms that have none", listed, all)
	}
	out.WriteString("### One entry of `swapGroups`, which stands beside `llmModels`\n\n| field | type | default | meaning | example |\n|---|---|---|---|---|\n")
	for _, f := range fields.OfGroup() {
		out.WriteString(rows(t, "", f))
	}
	out.WriteString("\n")
	return strings.TrimSuffix(out.String(), "\n")
}

// rows are those of a field and of the fields in it.
func rows(t *testing.T, prefix string, f strict.Field) string {
	out := row(t, prefix, f)
	prefix += f.Name + "."
	if f.Type == "list of objects" {
		prefix = strings.TrimSuffix(prefix, ".") + "[]."
	}
	for _, part := range f.Fields {
		out += rows(t, prefix, part)
	}
	return out
}

func row(t *testing.T, prefix string, f strict.Field) string {
	kind := string(f.Type)
	switch {
	case f.Choices != nil:
		kind += " `" + strings.Join(f.Choices, "`, `") + "`"
	case f.Max > 0:
		kind += fmt.Sprintf(", %d to %d", f.Min, f.Max)
	}
	absent := f.Absent
	switch {
	case f.Default != nil:
		absent = fmt.Sprintf("`%v`", f.Default)
	case strings.HasSuffix(absent, "_TIMEOUT"):
		absent = "`" + absent + "`"
	case f.Needed:
		absent = "required"
	}
	return fmt.Sprintf("| `%s%s` | %s | %s | %s | %s |\n", prefix, f.Name, kind, absent, f.Doc, asCode(t, f.Example))
}

func asCode(t *testing.T, value any) string {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		t.Fatal(err)
	}
	return "`" + strings.TrimSpace(text.String()) + "`"
}

// profiles asks the parser what it makes of each.
func profiles(t *testing.T) string {
	out := "| profile | flags |\n|---|---|\n"
	for _, f := range fields.OfModel() {
		if f.Name != "profile" {
			continue
		}
		for _, name := range f.Choices {
			file, err := read.Parse("models.json", []byte(`{"llmModels": {"m": {"model": "x", "port": 1, "profile": "`+name+`"}}}`), nil)
			if err != nil {
				t.Fatal(err)
			}
			_, flags, _ := strings.Cut(file.Models[0].Instances[0].CommandLine(), " 127.0.0.1")
			if flags = "`" + strings.TrimSpace(flags) + "`"; flags == "``" {
				flags = "none: vLLM's own defaults"
			}
			out += fmt.Sprintf("| `%s` | %s |\n", name, flags)
		}
	}
	return out
}

// remote lists the fields that may be changed over HTTP.
func remote() string {
	var names []string
	for _, f := range fields.OfModel() {
		if f.Remote {
			names = append(names, "`"+f.Name+"`")
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ") + ".\n"
}

// settings lists the fields of a service's Config: the variable as envconfig names it, the default, and the field's comment.
func settings(t *testing.T, path, prefix string, config any) string {
	comments := fieldComments(t, path, reflect.TypeOf(config).Elem().Name())
	var names strings.Builder
	if err := envconfig.Usagef(prefix, config, &names, "{{range .}}{{.Name}} {{.Key}}\n{{end}}"); err != nil {
		t.Fatal(err)
	}
	out := "| variable | type | default | |\n|---|---|---|---|\n"
	for line := range strings.Lines(names.String()) {
		field, variable, _ := strings.Cut(strings.TrimSpace(line), " ")
		if comments[field] == "" {
			t.Errorf("%s: %s has no comment, which is its description", path, field)
		}
		if f, _ := reflect.TypeOf(config).Elem().FieldByName(field); f.Tag.Get("envconfig") != "" {
			t.Errorf("%s: %s has a tag by which it is also read from a variable without the prefix: use split_words", path, field)
		}
		value := reflect.ValueOf(config).Elem().FieldByName(field)
		out += fmt.Sprintf("| `%s` | %s | %s | %s |\n", variable, kind(field, value), standard(value), comments[field])
	}
	return out
}

// kind is what a setting takes.
func kind(field string, value reflect.Value) string {
	switch {
	case value.Type() == reflect.TypeFor[time.Duration]():
		return "duration"
	case strings.HasSuffix(field, "Bytes"):
		return "bytes"
	case value.CanInt() || value.CanFloat():
		return "number"
	case value.Kind() == reflect.Bool:
		return "`true` or `false`"
	case value.Kind() == reflect.Slice:
		return "list with commas"
	}
	return "text"
}

// standard is a default as the environment would say it.
func standard(value reflect.Value) string {
	text := fmt.Sprint(value.Interface())
	for _, zero := range []string{"m0s", "h0m"} { // 2m0s
		if strings.HasSuffix(text, zero) {
			text = strings.TrimSuffix(text, zero[1:])
		}
	}
	if value.IsZero() && !value.CanInt() && !value.CanFloat() && value.Kind() != reflect.Bool {
		return ""
	}
	return "`" + text + "`"
}

// fieldComments are the comments at the ends of the lines of a struct.
func fieldComments(t *testing.T, path, name string) map[string]string {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	comments := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		declared, ok := n.(*ast.TypeSpec)
		if !ok || declared.Name.Name != name {
			return true
		}
		for _, f := range declared.Type.(*ast.StructType).Fields.List {
			comments[f.Names[0].Name] = strings.TrimSpace(f.Comment.Text())
		}
		return false
	})
	return comments
}

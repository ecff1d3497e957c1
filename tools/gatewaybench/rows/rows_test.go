package rows_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/rows"
)

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFilesAddAndReplace(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "my.conf", "listen {port}")
	all, err := rows.Read([]string{write(t, dir, "mine.json", `[{"name":"nginx","command":["mine"]},{"name":"new","command":["{cache}/new"],"config":"my.conf"}]`)})
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := rows.Choose(all, "new,nginx,haproxy")
	if err != nil {
		t.Fatal(err)
	}
	places := rows.Places{Port: "1234", Cache: "/cache"}
	if fresh := chosen[0]; places.Fill(fresh.Text) != "listen 1234" || places.FillAll(fresh.Command)[0] != "/cache/new" ||
		!strings.Contains(fresh.Missing(places), "install.sh /cache new") {
		t.Errorf("new: %+v, %s", fresh, fresh.Missing(places))
	}
	if chosen[1].Command[0] != "mine" || chosen[1].Text != "" {
		t.Errorf("replaced: %+v", chosen[1])
	}
	if chosen[2].Text == "" || chosen[2].Path != "/v1/chat/completions" || chosen[2].Ready != "/health" {
		t.Errorf("built in: %+v", chosen[2])
	}
}

func TestRefuses(t *testing.T) {
	f := func(want, text string) {
		t.Helper()
		_, err := rows.Read([]string{write(t, t.TempDir(), "bad.json", text)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	f("unknown field", `[{"name":"a","comand":[]}]`)
	f("has no name", `[{"command":["a"]}]`)
	f("no such file", `[{"name":"a","config":"none.conf"}]`)
}

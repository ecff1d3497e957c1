package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

const folder = "../../deploy/grafana/dashboards"

// TestCommitted: what Grafana reads is what this program writes.
func TestCommitted(t *testing.T) {
	for name, b := range boards() {
		want, err := b.json()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(folder, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the program writes (%v); run make dashboards", name, err)
		}
	}
	if files, err := filepath.Glob(folder + "/*"); err != nil || len(files) != len(boards()) {
		t.Errorf("the folder has %v (%v), the program writes %d dashboards", files, err, len(boards()))
	}
}

// TestKnownToGrafana: no field is misspelt or misplaced.
func TestKnownToGrafana(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	for name, board := range read(t) {
		for _, a := range board["annotations"].(map[string]any)["list"].([]any) {
			delete(a.(map[string]any), "titleFormat") // known to Prometheus's part of Grafana, not to the kit
			delete(a.(map[string]any), "tagKeys")
		}
		content, err := json.Marshal(board)
		if err != nil {
			t.Fatal(err)
		}
		if err := (&dashboard.Dashboard{}).UnmarshalJSONStrict(content); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// read gives the committed dashboards by file name.
func read(t *testing.T) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	for name := range boards() {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		var board map[string]any
		if err := json.Unmarshal(content, &board); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = board
	}
	return all
}

// picture is what the tests read of a panel.
type picture struct {
	ID                       int
	Type, Title, Description string
	Datasource               struct{ UID string }
	GridPos                  struct{ X, Y, W, H int }
	FieldConfig              struct{ Defaults struct{ Unit string } }
	Targets                  []struct {
		Expr, RefID    string
		Instant, Range bool
	}
}

func pictures(t *testing.T, board map[string]any) []picture {
	t.Helper()
	content, err := json.Marshal(board["panels"])
	if err != nil {
		t.Fatal(err)
	}
	var all []picture
	if err := json.Unmarshal(content, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPanels(t *testing.T) {
	for name, board := range read(t) {
		ids, titles := map[int]bool{}, map[[2]string]bool{}
		taken := map[[2]int]string{} // cells of the grid
		for _, p := range pictures(t, board) {
			what := "panel"
			if p.Type == "row" {
				what = "row"
			}
			if p.ID == 0 || ids[p.ID] || p.Title == "" || titles[[2]string{what, p.Title}] {
				t.Errorf("%s: id %d or title %q of a %s is missing or not the only one", name, p.ID, p.Title, what)
			}
			ids[p.ID], titles[[2]string{what, p.Title}] = true, true
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
						t.Fatalf("%s: %q at %d,%d lies over %q or beyond the edge", name, p.Title, x, y, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
			if p.Type != "row" {
				check(t, name, p)
			}
		}
		if len(ids) < 20 {
			t.Errorf("%s has only %d panels", name, len(ids))
		}
	}
}

func check(t *testing.T, board string, p picture) {
	t.Helper()
	switch {
	case len(p.Description) < 20 || !strings.HasSuffix(p.Description, "."):
		t.Errorf("%s: %q is described as %q", board, p.Title, p.Description)
	case p.FieldConfig.Defaults.Unit == "":
		t.Errorf("%s: %q has no unit", board, p.Title)
	case p.Datasource.UID != "${datasource}":
		t.Errorf("%s: %q asks %q, not what was chosen", board, p.Title, p.Datasource.UID)
	case len(p.Targets) == 0:
		t.Errorf("%s: %q asks nothing", board, p.Title)
	}
	var refs []string
	for _, target := range p.Targets {
		if target.Expr == "" || slices.Contains(refs, target.RefID) {
			t.Errorf("%s: %q: query %q %q", board, p.Title, target.RefID, target.Expr)
		}
		refs = append(refs, target.RefID)
		now := p.Type == "stat" || p.Type == "table"
		switch {
		case target.Instant != now || target.Range == now:
			t.Errorf("%s: %q, a %s, asks for now: %v", board, p.Title, p.Type, target.Instant)
		case now && strings.Contains(target.Expr, "histogram_quantile") && !strings.HasSuffix(target.Expr, " >= 0"):
			t.Errorf("%s: %q says NaN when there is no traffic: %s", board, p.Title, target.Expr)
		case strings.Contains(target.Expr, "vector(0)") && !strings.Contains(target.Expr, "ALERTS{"):
			t.Errorf("%s: %q takes what nobody knows for 0: %s", board, p.Title, target.Expr)
		}
	}
}

var used = regexp.MustCompile(`\$\{?([A-Za-z_]+)`)

// TestVariables: none is offered without a use, none is used without being there.
func TestVariables(t *testing.T) {
	for name, board := range read(t) {
		var declared []string
		for _, v := range board["templating"].(map[string]any)["list"].([]any) {
			declared = append(declared, v.(map[string]any)["name"].(string))
		}
		content, err := json.Marshal(board)
		if err != nil {
			t.Fatal(err)
		}
		var wanted []string
		for _, m := range used.FindAllStringSubmatch(string(content), -1) {
			if !strings.HasPrefix(m[1], "__") && !slices.Contains(wanted, m[1]) {
				wanted = append(wanted, m[1])
			}
		}
		slices.Sort(declared)
		slices.Sort(wanted)
		if !slices.Equal(declared, wanted) {
			t.Errorf("%s declares %v and uses %v", name, declared, wanted)
		}
	}
}

// TestLinks: every link to a dashboard names one of these, every other one is a file of this repository.
func TestLinks(t *testing.T) {
	uids := map[string]bool{}
	for _, b := range boards() {
		uids[b.uid] = true
	}
	if len(uids) != len(boards()) {
		t.Errorf("uids %v are not unique", uids)
	}
	for name, board := range read(t) {
		found := urls(board)
		if len(found) < 2 {
			t.Errorf("%s leads to %v", name, found)
		}
		for _, url := range found {
			if err := resolves(url, uids); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func resolves(url string, uids map[string]bool) error {
	if path, ok := strings.CutPrefix(url, "/d/"); ok {
		if uid, _, _ := strings.Cut(path, "/"); !uids[uid] {
			return fmt.Errorf("%s leads to no dashboard", url)
		}
		return nil
	}
	path, ok := strings.CutPrefix(url, "https://github.com/fluidmcp/fluidmcp/blob/main/")
	if !ok {
		return fmt.Errorf("%s is neither a dashboard nor a file of the repository", url)
	}
	_, err := os.Stat("../../" + path)
	return err
}

// urls collects the links anywhere in a dashboard.
func urls(node any) (found []string) {
	switch n := node.(type) {
	case map[string]any:
		for key, child := range n {
			if s, ok := child.(string); ok && key == "url" {
				found = append(found, s)
			}
			found = append(found, urls(child)...)
		}
	case []any:
		for _, child := range n {
			found = append(found, urls(child)...)
		}
	}
	return found
}

package integration

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var write = flag.Bool("write", false, "write the table of docs/reliability.md anew")

// row is what a crash did to the requests of one model, in words that are the same each time.
func row(name, model string, got *crashTally, took time.Duration) string {
	servers := map[string]string{twofold: "two", onefold: "one"}[model]
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %.1f s |", name, servers, fate(got.begun, "all complete"), fate(got.fresh, "none lost"), fate(got.again, "none lost"), took.Seconds())
}

// fate words what became of requests.
func fate(of map[outcome]int, well string) string {
	bad := 0
	for o, n := range of {
		if o != whole {
			bad += n
		}
	}
	switch {
	case bad == 0:
		return well
	case of[lost] > 0:
		return "lost"
	case of[broken] > 0:
		return "broken off"
	case of[refused] > 0:
		return "refused meanwhile"
	}
	return "those on a dead server cut, with an error event"
}

const tableHead = `| what happens | servers | streams that had begun | requests that had not | the same, from a client that tries again | all well after |
|---|---|---|---|---|--:|
`

// compareTable holds the rows against the document, but for the last column, which is another each time, and for what could not happen here.
func compareTable(t *testing.T, rows, skipped []string) {
	t.Helper()
	const path, begin, end = "../docs/reliability.md", "<!-- generated: crashes -->\n\n", "\n<!-- end -->"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(text), begin)
	documented, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no table between its marks", path)
	}
	table := tableHead + strings.Join(rows, "\n") + "\n"
	if *write {
		if len(skipped) > 0 {
			t.Fatalf("the table is not written without %q", skipped)
		}
		if err := os.WriteFile(path, []byte(head+begin+table+end+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(timeless(documented, skipped), timeless(table, nil)); diff != "" {
		t.Errorf("%s says something else (-document +seen); go test ./integration -run TestCrashes -write writes it:\n%s", path, diff)
	}
}

// timeless leaves out the last column, and the rows of some disasters.
func timeless(table string, without []string) []string {
	var rows []string
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) > 1 && slices.Contains(without, strings.TrimSpace(cells[1])) {
			continue
		}
		rows = append(rows, strings.Join(cells[:max(0, len(cells)-2)], "|"))
	}
	return rows
}

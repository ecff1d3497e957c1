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

// rowsOf says what a crash did to the requests, in words that are the same each time: in one row where the number of servers made no difference.
func rowsOf(name string, seen map[string]*crashTally, took time.Duration) []string {
	row := func(what, fates string) string {
		return fmt.Sprintf("| %s | %s | %.1f s |", what, fates, took.Seconds())
	}
	two, one := fates(seen[twofold]), fates(seen[onefold])
	if two == one {
		return []string{row(name, one)}
	}
	return []string{row(name+withServers+"two servers", two), row(name+withServers+"one server", one)}
}

const withServers = ", with "

func fates(of *crashTally) string {
	return fate(of.begun, "all complete") + " | " + fate(of.fresh, "none lost") + " | " + fate(of.again, "none lost")
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

const tableHead = `| what happens | streams that had begun | requests that had not | the same, from a client that tries again | all well after |
|---|---|---|---|--:|
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
		if len(cells) > 1 {
			if name, _, _ := strings.Cut(strings.TrimSpace(cells[1]), withServers); slices.Contains(without, name) {
				continue
			}
		}
		rows = append(rows, strings.Join(cells[:max(0, len(cells)-2)], "|"))
	}
	return rows
}

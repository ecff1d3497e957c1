package spec

import (
	"fmt"
	"regexp"
	"strings"
)

// faults collects what is wrong with a file.
type faults struct {
	name string // of the file
	list []string
}

func (f *faults) add(path, format string, args ...any) {
	f.list = append(f.list, path+": "+fmt.Sprintf(format, args...))
}

// err gives all faults in one message, one a line, each with its path, or nil.
func (f *faults) err() error {
	switch len(f.list) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("models file %s: %s", f.name, f.list[0])
	}
	return fmt.Errorf("models file %s has %d faults:\n  %s", f.name, len(f.list), strings.Join(f.list, "\n  "))
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// join appends a name to a path, quoted when it would be ambiguous.
func join(path, name string) string {
	if !plainName.MatchString(name) {
		name = fmt.Sprintf("%q", name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// nearest returns the known name that a person most likely meant, or "".
func nearest(name string, known []string) string {
	best, least := "", 1+max(2, len(name)/3)
	for _, k := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the insertions, deletions and replacements of bytes between a and b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

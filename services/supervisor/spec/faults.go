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

// index appends the position of an item to the path of its list.
func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

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

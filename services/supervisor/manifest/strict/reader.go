package strict

import (
	"fmt"
	"regexp"
	"strings"
)

// Reader is what reading one file shares: it collects what is wrong, and what else was met on the way.
type Reader struct {
	Secrets  []string // what no log may show
	Warnings []string // what works but hardly as meant, a sentence each

	name string // of the file
	env  func(string) (string, bool)
	list []string // of faults
}

// New reads a file of that name, which stands in errors. env looks up what ${NAME} stands for.
func New(name string, env func(string) (string, bool)) *Reader { return &Reader{name: name, env: env} }

// Env looks up a variable of the environment.
func (r *Reader) Env(name string) (string, bool) { return r.env(name) }

// Add reports a fault at a path.
func (r *Reader) Add(path, format string, args ...any) {
	r.list = append(r.list, path+": "+fmt.Sprintf(format, args...))
}

// Err gives all faults in one message, one a line, each with its path, or nil.
func (r *Reader) Err() error {
	switch len(r.list) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("models file %s: %s", r.name, r.list[0])
	}
	return fmt.Errorf("models file %s has %d faults:\n  %s", r.name, len(r.list), strings.Join(r.list, "\n  "))
}

// Index appends the position of an item to the path of its list.
func Index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// Join appends a name to a path, quoted when it would be ambiguous.
func Join(path, name string) string {
	if !plainName.MatchString(name) {
		name = fmt.Sprintf("%q", name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

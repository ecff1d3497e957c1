package cli

import (
	_ "embed"
	"slices"
	"strings"
)

// Option is one option of the command line.
type Option struct {
	Names   []string // as registered; the first long one names the option
	Type    string   // of each value, see values.go; "bool" and "flag" take none
	Nargs   string   // "" one value, "?", "+" or "append"
	Choices []string
	place   int // in the order of registration
}

// Name is the option's first long name.
func (o *Option) Name() string {
	for _, n := range o.Names {
		if strings.HasPrefix(n, "--") {
			return n
		}
	}
	return o.Names[0]
}

// takesNone tells switches from options with values.
func (o *Option) takesNone() bool { return o.Type == "bool" || o.Type == "flag" }

// spelled are all names of the option in argparse's order: those of a bool come with their --no- forms.
func (o *Option) spelled() []string {
	var all []string
	for _, n := range o.Names {
		all = append(all, n)
		if long, ok := strings.CutPrefix(n, "--"); ok && o.Type == "bool" {
			all = append(all, "--no-"+long)
		}
	}
	return all
}

//go:embed serve.txt
var serveOptions string

// Table is a set of options, found by name.
type Table struct {
	names  []string // in the order of registration, for messages
	byName map[string]*Option
}

// ServeTable is the options of vllm serve and those of own, which has the form of serve.txt.
func ServeTable(own string) Table {
	t := Table{byName: map[string]*Option{}}
	for line := range strings.Lines(serveOptions + own) {
		words := strings.Fields(line)
		o := &Option{Names: strings.Split(words[0], ","), Type: words[1], place: len(t.names)}
		for _, w := range words[2:] {
			if choices, ok := strings.CutPrefix(w, "{"); ok {
				o.Choices = strings.Split(strings.TrimSuffix(choices, "}"), ",")
			} else {
				o.Nargs = w
			}
		}
		for _, n := range o.spelled() {
			t.names = append(t.names, n)
			t.byName[n] = o
		}
	}
	return t
}

// match is an option as an argument names it.
type match struct {
	option   *Option
	name     string // spelled out
	value    string // glued to the name
	hasValue bool
}

// find returns all options that arg may mean: itself, with a value behind "=", the beginning of a name, or a
// short name with its value glued on.
func (t Table) find(arg string) []match {
	if o := t.byName[arg]; o != nil {
		return []match{{option: o, name: arg}}
	}
	name, value, hasValue := strings.Cut(arg, "=")
	if o := t.byName[name]; o != nil && hasValue {
		return []match{{o, name, value, true}}
	}
	var all []match
	if strings.HasPrefix(arg, "--") {
		for _, n := range t.names {
			if strings.HasPrefix(n, name) {
				all = append(all, match{t.byName[n], n, value, hasValue})
			}
		}
		return all
	}
	for _, n := range t.names {
		switch {
		case n == arg[:2]:
			all = append(all, match{t.byName[n], n, arg[2:], true})
		case strings.HasPrefix(n, arg):
			all = append(all, match{option: t.byName[n], name: n})
		}
	}
	return all
}

// has tells whether an option has this name.
func (t Table) has(name string) bool { return slices.Contains(t.names, name) }

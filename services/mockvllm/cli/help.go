package cli

import (
	"slices"
	"strings"
)

// Help tells the options whose names hold a word, all of them for "all", as --help=WORD of vLLM finds them. note says what there is to know
// of one, "" for nothing.
func (t Table) Help(word string, note func(name string) string) string {
	word = strings.ReplaceAll(strings.ToLower(word), "_", "-")
	var lines []string
	for _, name := range t.names {
		o := t.byName[name]
		if o.Names[0] != name || word != "all" && !slices.ContainsFunc(o.spelled(), func(n string) bool { return strings.Contains(n, word) }) {
			continue
		}
		line := "  " + o.usage()
		if n := note(o.Name()); n != "" {
			line += "  (" + n + ")"
		}
		lines = append(lines, line+"\n")
	}
	if lines == nil {
		return "No arguments matching '" + word + "'.\nUse '--help' to see those that act here or '--help=all' to see all available parameters.\n"
	}
	slices.Sort(lines)
	return "Arguments matching '" + word + "':\n" + strings.Join(lines, "")
}

// usage is the option as argparse shows it.
func (o *Option) usage() string {
	names := strings.Join(o.spelled(), ", ")
	value := strings.ToUpper(strings.ReplaceAll(strings.TrimLeft(o.Name(), "-"), "-", "_"))
	if o.Choices != nil {
		value = "{" + strings.Join(o.Choices, ",") + "}"
	}
	switch {
	case o.takesNone():
		return names
	case o.Nargs == "+":
		return names + " " + value + " [" + value + " ...]"
	case o.Nargs == "?":
		return names + " [" + value + "]"
	}
	return names + " " + value
}

package change

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// unset is a field that is not in the file.
const unset = "unset"

// colours are those of a terminal.
var colours = map[Effect]int{None: 36, Start: 32, Restart: 33, Replace: 33, Remove: 31}

// Empty tells whether nothing differs.
func (s Set) Empty() bool { return len(s.Models) == 0 && len(s.Shared) == 0 }

// Text writes the set for people, a paragraph for each model:
//
//	~ llama   rolling restart of llama-0, llama-1
//	    config.max-model-len  8192 -> 4096  rolling restart
//	    limits.inflight       64 -> 32      none
func (s Set) Text(w io.Writer, colour bool) error {
	if s.Empty() {
		_, err := fmt.Fprintln(w, "Nothing changes.")
		return err
	}
	models := s.Models
	if len(s.Shared) > 0 {
		models = append([]Model{{ID: "all models", Effect: None, Fields: s.Shared}}, models...)
	}
	for _, m := range models {
		head := fmt.Sprintf("%s %s   %s", m.sign(), m.ID, m.what())
		if colour {
			head = fmt.Sprintf("\x1b[%dm%s\x1b[0m", colours[m.Effect], head)
		}
		if _, err := fmt.Fprintln(w, head); err != nil {
			return err
		}
		if err := m.rows(w); err != nil {
			return err
		}
	}
	return nil
}

func (m Model) sign() string {
	switch {
	case m.New:
		return "+"
	case m.Gone:
		return "-"
	}
	return "~"
}

// what says in a line what happens to the servers.
func (m Model) what() string {
	switch {
	case len(m.Servers) == 0:
		return "no server is touched"
	case m.Interrupts:
		return "restart of " + m.Servers[0].ID + ", its only server: it answers 503 meanwhile"
	}
	var parts []string
	for _, effect := range weight {
		var ids []string
		for _, s := range m.Servers {
			if s.Effect == effect {
				ids = append(ids, s.ID)
			}
		}
		if ids != nil {
			word := string(effect)
			if effect == Restart {
				word += " of"
			}
			parts = append(parts, word+" "+strings.Join(ids, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// rows writes the fields, aligned. A model that comes or goes has no old or no new values; else what is not there is named, because the
// effect that follows would be taken for the value.
func (m Model) rows(w io.Writer) error {
	path, value := 0, 0
	values := make([]string, len(m.Fields))
	for n, f := range m.Fields {
		if values[n] = f.value(); !m.New && !m.Gone {
			values[n] = cmp.Or(f.Old, unset) + " -> " + cmp.Or(f.New, unset)
		}
		path, value = max(path, len(f.Path)), max(value, min(60, utf8.RuneCountInString(values[n])))
	}
	for n, f := range m.Fields {
		if _, err := fmt.Fprintf(w, "    %-*s  %-*s  %s\n", path, f.Path, value, values[n], f.Effect); err != nil {
			return err
		}
	}
	return nil
}

// value is that of a model that comes or goes.
func (f Field) value() string {
	if f.Old == "" {
		return "-> " + f.New
	}
	return f.Old + " ->"
}

package cli

import (
	"regexp"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/document"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// UsageError is a command line that argparse refuses; the program ends with code 2.
type UsageError struct{ Prog, Message string }

func (e UsageError) Error() string { return e.Prog + ": error: " + e.Message }

func refused(o *Option, problem string) error {
	return UsageError{"vllm serve", "argument " + strings.Join(o.spelled(), "/") + ": " + problem}
}

// Given is an option on the command line.
type Given struct {
	Option *Option
	Values []string // of a switch: "true" or "false"
}

// Line is a command line.
type Line struct {
	Model string  // "" when it names none
	Given []Given // in order; the last one of a name counts

	model *Option // that names a model
}

// Parse reads the arguments after `vllm serve`. Its errors are UsageErrors, but for those that vLLM raises itself.
func (t Table) Parse(args []string) (Line, error) {
	args, err := t.prepare(args)
	if err != nil {
		return Line{}, err
	}
	p := parser{table: t, args: args, line: Line{model: t.byName["--model"]}}
	if err := p.classify(); err != nil {
		return Line{}, err
	}
	for i := 0; i < len(p.args); {
		n, err := p.take(i)
		if err != nil {
			return Line{}, err
		}
		i += n
	}
	if p.unknown != nil {
		return Line{}, UsageError{"vllm", "unrecognized arguments: " + strings.Join(p.unknown, " ") + taskHint(p.unknown) + t.ownHint(p.unknown)}
	}
	return p.line, nil
}

// taskHint helps those who come from older versions.
func taskHint(unknown []string) string {
	for _, arg := range unknown {
		if name, _, _ := strings.Cut(arg, "="); name == "--task" {
			return "\n\nHint: --task is not a vllm serve option. For embedding, reranking, or reward models, use --runner pooling. " +
				"To adapt a generative model for pooling, also use --convert embed, --convert classify, or --convert reward."
		}
	}
	return ""
}

// ownHint helps those who mistyped an option that only a mock has.
func (t Table) ownHint(unknown []string) string {
	const own = "--mock-"
	var known []string
	for name := range t.byName {
		if strings.HasPrefix(name, own) {
			known = append(known, name[len(own):])
		}
	}
	slices.Sort(known) // so that of two that are as near it is always the same one
	for _, arg := range unknown {
		name, _, _ := strings.Cut(arg, "=")
		if rest, ok := strings.CutPrefix(name, own); ok {
			if meant := document.Nearest(rest, known); meant != "" {
				return "\n\nHint: did you mean " + own + meant + " instead of " + name + "?"
			}
			return "\n\nHint: options of the mock are " + own + strings.Join(known, ", "+own)
		}
	}
	return ""
}

// parser walks over the arguments.
type parser struct {
	table   Table
	args    []string
	isValue []bool
	matches []match // of arguments that are options
	line    Line
	hasName bool // the model is there
	unknown []string
}

var negativeNumber = regexp.MustCompile(`^-\d+$|^-\d*\.\d+$`)

// classify tells options from values, as argparse does before it takes any.
func (p *parser) classify() error {
	p.isValue, p.matches = make([]bool, len(p.args)), make([]match, len(p.args))
	for i := 0; i < len(p.args); i++ {
		arg := p.args[i]
		if arg == "--" { // the rest is values
			p.args = append(p.args[:i:i], p.args[i+1:]...)
			for ; i < len(p.args); i++ {
				p.isValue[i] = true
			}
			return nil
		}
		if len(arg) < 2 || arg[0] != '-' {
			p.isValue[i] = true
			continue
		}
		found := p.table.find(arg)
		switch {
		case len(found) > 1:
			names := make([]string, len(found))
			for i, m := range found {
				names[i] = m.name
			}
			return UsageError{"vllm serve", "ambiguous option: " + arg + " could match " + strings.Join(names, ", ")}
		case len(found) == 1:
			p.matches[i] = found[0]
		default:
			p.isValue[i] = negativeNumber.MatchString(arg) || strings.Contains(arg, " ")
		}
	}
	return nil
}

// take reads the argument at i, and returns how many it has used.
func (p *parser) take(i int) (int, error) {
	m := p.matches[i]
	switch {
	case p.isValue[i] && !p.hasName:
		p.line.Model, p.hasName = p.args[i], true
		return 1, nil
	case m.option == nil:
		p.unknown = append(p.unknown, p.args[i])
		return 1, nil
	}
	o := m.option
	if o.takesNone() {
		if m.hasValue {
			return 0, refused(o, "ignored explicit argument "+pyjson.Repr(m.value))
		}
		value := "true"
		if strings.HasPrefix(m.name, "--no-") && !slices.Contains(o.Names, m.name) {
			value = "false"
		}
		p.line.Given = append(p.line.Given, Given{o, []string{value}})
		return 1, nil
	}
	values, used := []string{m.value}, 1
	if !m.hasValue {
		values = p.values(i+1, o)
		used += len(values)
	}
	switch {
	case len(values) > 0 || o.Nargs == "?":
	case o.Nargs == "+":
		return 0, refused(o, "expected at least one argument")
	default:
		return 0, refused(o, "expected one argument")
	}
	for _, v := range values {
		if problem := o.check(v); problem != "" {
			return 0, refused(o, problem)
		}
	}
	p.line.Given = append(p.line.Given, Given{o, values})
	return used, nil
}

// values are the arguments from i on that belong to an option.
func (p *parser) values(i int, o *Option) []string {
	from := i
	for i < len(p.args) && p.isValue[i] && (o.Nargs == "+" || i == from) {
		i++
	}
	return p.args[from:i:i]
}

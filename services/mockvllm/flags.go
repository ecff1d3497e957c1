package mockvllm

import (
	"fmt"
	"strconv"
	"strings"
)

// arity is how many values a flag takes.
type arity int

const (
	one  arity = iota
	many       // one or more
	none       // a switch, with a --no- form
)

// flag is one option of vllm serve.
type flag struct {
	arity arity
	// set takes the values; a switch gets "true" or "false". Flags without it are understood and have no effect.
	set func(c *Config, values []string) error
}

// badValue is a value that argparse would refuse in these words.
type badValue struct{ kind, value string }

func (e badValue) Error() string { return fmt.Sprintf("invalid %s value: '%s'", e.kind, e.value) }

// usageError ends the program with exit code 2, as argparse does.
type usageError struct{ prog, msg string }

func (e usageError) Error() string { return e.prog + ": error: " + e.msg }

// commandLine is a parsed `serve`.
type commandLine struct {
	model, served bool     // given by flags or argument
	given         []string // non-default arguments, for the log
	idle          []string // accepted flags without effect
}

// parseServe reads the arguments after serve into cfg.
func parseServe(args []string, cfg *Config) (commandLine, error) {
	var cl commandLine
	table := flags()
	var unknown []string
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if !isFlag(arg) {
			if cl.model {
				unknown = append(unknown, arg)
				continue
			}
			cfg.Model, cl.model = arg, true
			continue
		}
		name, value, hasValue := strings.Cut(arg, "=")
		name = strings.ReplaceAll(name, "_", "-")
		f, values, rest, ok := lookUp(table, name, value, hasValue, args)
		if !ok {
			unknown = append(unknown, arg)
			continue
		}
		args = rest
		if err := cl.apply(f, name, values, cfg); err != nil {
			return cl, usageError{"vllm serve", "argument " + name + ": " + err.Error()}
		}
	}
	if unknown != nil {
		return cl, usageError{"vllm", "unrecognized arguments: " + strings.Join(unknown, " ")}
	}
	return cl, nil
}

// isFlag tells options from values. A negative number is a value, as for argparse.
func isFlag(arg string) bool {
	if len(arg) < 2 || arg[0] != '-' {
		return false
	}
	_, err := strconv.ParseFloat(arg, 64)
	return err != nil
}

// lookUp finds a flag and takes its values from args.
func lookUp(table map[string]flag, name, value string, hasValue bool, args []string) (f flag, values, rest []string, ok bool) {
	f, ok = table[name]
	if base, negated := strings.CutPrefix(name, "--no-"); !ok && negated && !hasValue {
		f, ok = table["--"+base]
		return f, []string{"false"}, args, ok && f.arity == none
	}
	if base, _, dotted := strings.Cut(name, "."); !ok && dotted { // --compilation-config.mode 3
		f, ok = table[base]
	}
	switch {
	case !ok:
		return f, nil, args, false
	case hasValue:
		return f, []string{value}, args, f.arity != none
	case f.arity == none:
		return f, []string{"true"}, args, true
	}
	for len(args) > 0 && !isFlag(args[0]) && (f.arity == many || values == nil) {
		values, args = append(values, args[0]), args[1:]
	}
	return f, values, args, true
}

func (cl *commandLine) apply(f flag, name string, values []string, cfg *Config) error {
	if len(values) == 0 {
		if f.arity == many {
			return fmt.Errorf("expected at least one argument")
		}
		return fmt.Errorf("expected one argument")
	}
	key := strings.ReplaceAll(strings.TrimPrefix(name, "--"), "-", "_")
	if name != "--api-key" { // a log is no place for keys
		cl.given = append(cl.given, fmt.Sprintf("'%s': '%s'", key, strings.Join(values, " ")))
	}
	cl.model = cl.model || name == "--model"
	cl.served = cl.served || name == "--served-model-name"
	if f.set == nil {
		cl.idle = append(cl.idle, name)
		return nil
	}
	return f.set(cfg, values)
}

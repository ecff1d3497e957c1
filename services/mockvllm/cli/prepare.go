package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// errNoModel is what vLLM raises when names are given to a model that is not.
//
//nolint:staticcheck // vLLM's words
var errNoModel = errors.New("`model` should be provided as the first positional argument when using `vllm serve`. " +
	"i.e. `vllm serve <model> --<arg> <value>`.")

// errCut is an argument that ends too early for vLLM's own reading of it, an IndexError there.
var errCut = errors.New("list index out of range")

// prepare does what vLLM does before argparse: it moves --model to the front, reads --config, and rewrites names.
func (t Table) prepare(args []string) ([]string, error) {
	args, err := modelFirst(args)
	if err != nil {
		return nil, err
	}
	if args, err = t.fromFile(args); err != nil {
		return nil, err
	}
	out := make([]string, 0, len(args))
	for i, arg := range args {
		switch {
		case strings.HasPrefix(arg, "--"):
			out = append(out, dashes(arg))
		case strings.HasPrefix(arg, "-O") && arg != "-O": // -O3, -O=3
			out = append(out, "--optimization-level", strings.TrimPrefix(arg[2:], "="))
		case arg == "-O" && i+1 < len(args) && slices.Contains([]string{"0", "1", "2", "3"}, args[i+1]):
			out = append(out, "--optimization-level")
		default:
			out = append(out, arg)
		}
	}
	return undot(out)
}

// modelFirst rewrites `--model m` to the positional form.
func modelFirst(args []string) ([]string, error) {
	for i, arg := range args {
		model, glued := strings.CutPrefix(arg, "--model=")
		if arg != "--model" && (!glued || model == "") {
			continue
		}
		rest := i + 1
		if !glued {
			if rest == len(args) {
				return nil, errCut
			}
			model, rest = args[rest], rest+1
		}
		args = slices.Concat([]string{model}, args[:i], args[rest:])
		break
	}
	if len(args) == 0 || !strings.HasPrefix(args[0], "-") {
		return args, nil
	}
	named := func(name string) bool {
		return slices.ContainsFunc(args, func(arg string) bool {
			given, _, _ := strings.Cut(arg, "=")
			return given == name
		})
	}
	if !named("--config") && (named("--served-model-name") || named("--served_model_name")) {
		return nil, errNoModel
	}
	return args, nil
}

// dashes writes an option's name, up to the first dot, with dashes for underscores.
func dashes(arg string) string {
	name, value, hasValue := strings.Cut(arg, "=")
	base, keys, dotted := strings.Cut(name, ".")
	base = strings.ReplaceAll(base, "_", "-")
	if dotted {
		base += "." + keys
	}
	if hasValue {
		base += "=" + value
	}
	return base
}

// undot gathers options such as --compilation-config.mode 3 into one JSON value at the end: --compilation-config
// {"mode": 3}. With a + at its end the value is a list.
func undot(args []string) ([]string, error) {
	var out, names []string
	objects := map[string]*pyjson.Object{}
	for i := 0; i < len(args); i++ {
		name, value, glued := strings.Cut(args[i], "=")
		if !strings.HasPrefix(name, "-") || !strings.Contains(name, ".") || negativeNumber.MatchString(name) {
			out = append(out, args[i])
			continue
		}
		if !glued {
			if i++; i == len(args) {
				return nil, errCut
			}
			value = args[i]
		}
		var v any = value
		if list, ok := strings.CutSuffix(name, "+"); ok {
			name, v = list, items(value)
		} else if decoded, err := pyjson.DecodeString(value); err == nil {
			v = decoded
		} else if n, problem := Size(value); problem == "" {
			v = n
		}
		option, path, _ := strings.Cut(name, ".")
		if objects[option] == nil {
			objects[option] = &pyjson.Object{}
			names = append(names, option)
		}
		put(objects[option], path, v)
	}
	for _, name := range names {
		out = append(out, name, pyjson.Dumps(objects[name]))
	}
	return out, nil
}

func items(value string) []any {
	var list []any
	for item := range strings.SplitSeq(value, ",") {
		list = append(list, item)
	}
	return list
}

// put sets the member that a dotted path leads to.
func put(o *pyjson.Object, path string, v any) {
	key, below, deeper := strings.Cut(path, ".")
	if !deeper {
		merge(o, key, v)
		return
	}
	inside, isObject := o.Value(key).(*pyjson.Object)
	if !isObject {
		inside = &pyjson.Object{}
		o.Set(key, inside)
	}
	put(inside, below, v)
}

// merge sets a member; into an object that is there the members of another go, and a list grows.
func merge(o *pyjson.Object, key string, v any) {
	before := o.Value(key)
	switch added := v.(type) {
	case *pyjson.Object:
		if inside, ok := before.(*pyjson.Object); ok {
			for name, member := range added.All() {
				merge(inside, name, member)
			}
			return
		}
	case []any:
		if list, ok := before.([]any); ok {
			v = append(list, added...)
		}
	}
	o.Set(key, v)
}

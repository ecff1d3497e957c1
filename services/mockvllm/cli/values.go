package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// check returns what argparse says about a value that is not of the option's type or none of its choices, or "".
func (o *Option) check(value string) string {
	if problem := typeProblem(o.Type, value); problem != "" {
		return problem
	}
	if o.Choices == nil {
		return ""
	}
	if o.Type == "backend" { // vLLM takes these in any case and with dashes
		value = strings.ReplaceAll(strings.ToLower(value), "-", "_")
	}
	quoted := func(s string) string { return pyjson.Repr(s) }
	if o.Type == "int" {
		quoted = func(s string) string { return s }
	}
	if slices.Contains(o.Choices, value) || value == "" && slices.Contains(o.Choices, "None") {
		return ""
	}
	shown := make([]string, len(o.Choices))
	for i, c := range o.Choices {
		if shown[i] = quoted(c); c == "None" {
			shown[i] = c
		}
	}
	return "invalid choice: " + quoted(value) + " (choose from " + strings.Join(shown, ", ") + ")"
}

// typeProblem says in argparse's words why value is not of a type: str, int, float, loads (JSON), size (25k, 2G),
// size_or_auto, dict_or_str, config:CLASS (a JSON object). opt: before a type allows "" and None; vLLM words its errors,
// and those of req:, differently.
func typeProblem(kind, value string) string {
	if inner, optional := strings.CutPrefix(kind, "opt:"); optional {
		switch {
		case value == "" || value == "None":
			return ""
		case strings.HasPrefix(inner, "config:"):
			return typeProblem(inner, value)
		}
		return typeProblem("req:"+inner, value)
	}
	if inner, required := strings.CutPrefix(kind, "req:"); required {
		if typeProblem(inner, value) == "" {
			return ""
		}
		return "Value " + value + " cannot be converted to " + pythonTypes[inner] + "."
	}
	if class, ok := strings.CutPrefix(kind, "config:"); ok {
		if json.Valid([]byte(value)) {
			return ""
		}
		return fmt.Sprintf("1 validation error for %s\n  Invalid JSON: expected value at line 1 column 1 [type=json_invalid, "+
			"input_value=%s, input_type=str]\n    For further information visit https://errors.pydantic.dev/2.14/v/json_invalid", class, pyjson.Repr(value))
	}
	var ok bool
	switch kind {
	case "int":
		_, ok = Int(value)
	case "float":
		_, ok = Float(value)
	case "loads":
		ok = json.Valid([]byte(value))
	case "size":
		_, problem := Size(value)
		return problem
	case "size_or_auto":
		if text := strings.TrimSpace(value); text == "-1" || strings.EqualFold(text, "auto") {
			return ""
		}
		_, problem := Size(value)
		return strings.Replace(problem, "human_readable_int", "human_readable_int_or_auto", 1)
	case "dict_or_str":
		if text := strings.TrimSpace(value); strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}") {
			return typeProblem("req:loads", value)
		}
		ok = true
	default:
		ok = true
	}
	if ok {
		return ""
	}
	return "invalid " + kind + " value: " + pyjson.Repr(value)
}

// pythonTypes are the names that vLLM's messages have for types. Those of functions end in an address there.
var pythonTypes = map[string]string{"int": "<class 'int'>", "float": "<class 'float'>", "str": "<class 'str'>",
	"loads": "<function loads>", "size": "<function human_readable_int>"}

// Int reads an integer as Python does: with spaces around and underscores between digits.
func Int(text string) (int64, bool) {
	text = strings.TrimSpace(text)
	if strings.Contains(text, "__") || strings.HasSuffix(text, "_") || strings.HasPrefix(strings.TrimLeft(text, "+-"), "_") {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
	return n, err == nil
}

// Float reads a number as Python does.
func Float(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	if strings.ContainsAny(text, "xXpP") {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil || math.IsInf(f, 0)
}

var size = regexp.MustCompile(`^(\d+(?:\.\d+)?)([kKmMgGtT])$`)

// Size reads 8192, 8k (8000), 8K (8192) and 25.6k. It returns what argparse says of another text.
func Size(text string) (n int64, problem string) {
	text = strings.TrimSpace(text)
	m := size.FindStringSubmatch(text)
	if m == nil {
		n, ok := Int(text)
		if !ok {
			return 0, "invalid human_readable_int value: " + pyjson.Repr(text)
		}
		return n, ""
	}
	power := strings.Index("kmgt", strings.ToLower(m[2])) + 1
	if m[2] >= "a" {
		f, _ := strconv.ParseFloat(m[1], 64) // the pattern leaves nothing else
		return int64(f * math.Pow10(3*power)), ""
	}
	if strings.Contains(m[1], ".") {
		return 0, "Decimals are not allowed with binary suffixes like " + m[2] + ". Did you mean to use " + m[1] + strings.ToLower(m[2]) + " instead?"
	}
	whole, _ := strconv.ParseInt(m[1], 10, 64)
	return whole << (10 * power), ""
}

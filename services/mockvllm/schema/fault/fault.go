package fault

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
)

// Fault is one line of a schema error.
type Fault struct {
	Kind  Kind
	Loc   []any // strings and ints, the innermost first
	Input any
	Ctx   []pyjson.Member // Values are strings, integers or raw
}

// Raw is a text that repr leaves as it is.
type Raw string

// vLLM's bounds on what it reports (vllm/entrypoints/serve/exception_handling/handlers/validation.py).
const (
	MaxFaults = 10
	maxInput  = 200
	maxFault  = 1000
)

// SchemaError is the answer to a RequestValidationError, with the body's own place in front. Of all faults it is given the
// first MaxFaults.
func SchemaError(count int, faults []Fault) *refusal.Error {
	for i := range faults {
		faults[i].Loc = append(faults[i].Loc, "body")
	}
	plural := "s"
	if count == 1 {
		plural = ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d validation error%s:\n", count, plural)
	for _, f := range faults {
		b.WriteString("  " + cut(f.String(), maxFault) + "\n")
	}
	if more := count - MaxFaults; more > 0 {
		fmt.Fprintf(&b, "  ...and %d more errors\n", more)
	}
	return &refusal.Error{Status: http.StatusBadRequest, Type: refusal.TypeSchema, Param: faults[0].place(),
		Message: refusal.Sanitize(strings.TrimRightFunc(b.String(), python.Space))}
}

func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	n := 0
	for i := range len(s) {
		if s[i]&0xc0 == 0x80 { // inside of a character
			continue
		}
		if n == limit {
			return s[:i] + "...[truncated]"
		}
		n++
	}
	return s
}

// String is repr of the fault's dict, as vLLM prepares it.
func (f Fault) String() string {
	members := []pyjson.Member{{Key: "type", Value: f.Kind.Name}, {Key: "loc", Value: f.place()}, {Key: "msg", Value: f.Kind.Msg},
		{Key: "input", Value: summary(f.Input)}}
	s := pyjson.Repr(pyjson.NewObject(members...))
	if len(f.Ctx) == 0 {
		return s
	}
	return s[:len(s)-1] + ", 'ctx': " + f.context() + "}"
}

func (f Fault) context() string {
	parts := make([]string, len(f.Ctx))
	for i, m := range f.Ctx {
		value, ok := m.Value.(Raw)
		if !ok {
			value = Raw(pyjson.Repr(m.Value))
		}
		parts[i] = pyjson.Repr(m.Key) + ": " + string(value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func summary(input any) string {
	switch v := input.(type) {
	case []any:
		return fmt.Sprintf("<list of %d items>", len(v))
	case *pyjson.Object:
		return fmt.Sprintf("<dict of %d items>", v.Len())
	}
	return cut(pyjson.Str(input), maxInput)
}

// internal are the words of pydantic's that vLLM leaves out of a place, be they keys of the body's or not.
var internal = strings.Fields("function-wrap function-after function-before function-plain json-or-python lax-or-strict chain " +
	"default nullable tagged-union union call arguments is-instance is-subclass callable str int float bool bytes bytearray " +
	"list tuple dict set frozenset complex none nonetype")

// place is the loc as vLLM prints it: dotted, without pydantic's own words.
func (f Fault) place() string {
	parts := f.segments(func(s string) bool {
		return !strings.ContainsAny(s, "[]{}()") && !slices.Contains(internal, strings.ToLower(s))
	})
	return strings.Join(parts, ".")
}

func (f Fault) segments(keep func(string) bool) []string {
	var parts []string
	for _, segment := range slices.Backward(f.Loc) {
		s, ok := segment.(string)
		if !ok {
			s = strconv.Itoa(segment.(int))
		} else if pyjson.HasSurrogate(s) { // Rust replaces each byte of what is no UTF-8
			s = string([]rune(s))
		}
		if keep(s) {
			parts = append(parts, s)
		}
	}
	return parts
}

// Malformed is the schema error of a body that json.loads refuses.
func Malformed(e *pyjson.SyntaxError) *refusal.Error {
	return SchemaError(1, []Fault{{Kind: Kind{"json_invalid", "JSON decode error"}, Loc: []any{e.Pos}, Input: &pyjson.Object{},
		Ctx: []pyjson.Member{{Key: "error", Value: e.Msg}}}})
}

// Text is str of a ValidationError.
func Text(title string, faults []Fault) string {
	plural := "s"
	if len(faults) == 1 {
		plural = ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d validation error%s for %s", len(faults), plural, title)
	for _, f := range faults {
		loc := strings.Join(f.segments(func(string) bool { return true }), ".")
		fmt.Fprintf(&b, "\n%s\n  %s [type=%s, input_value=%s, input_type=%s]\n    For further information visit https://errors.pydantic.dev/2.14/v/%s",
			loc, f.Kind.Msg, f.Kind.Name, shortRepr(f.Input), pyjson.TypeName(f.Input), f.Kind.Name)
	}
	return b.String()
}

// MissingText is str of the ValidationError of a model called title, of whose fields an input lacks some.
func MissingText(title string, input any, fields ...string) string {
	faults := make([]Fault, len(fields))
	for i, field := range fields {
		faults[i] = Fault{Kind: Missing, Loc: []any{field}, Input: input}
	}
	return Text(title, faults)
}

// shortRepr is repr with its middle left out where it has more than 50 bytes.
func shortRepr(v any) string {
	s := pyjson.Repr(v)
	if len(s) <= 50 {
		return s
	}
	head, tail := 25, len(s)-24
	for s[head]&0xc0 == 0x80 {
		head--
	}
	for tail < len(s) && s[tail]&0xc0 == 0x80 {
		tail++
	}
	return s[:head] + "..." + s[tail:]
}

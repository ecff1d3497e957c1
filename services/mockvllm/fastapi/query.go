package fastapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Mistakes gathers what is wrong with a request, in the form of vLLM's schema errors.
type Mistakes struct {
	lines []string
	param string // where the first one is
}

// Add notes a fault. context is Python's repr of a dict, or "".
func (f *Mistakes) Add(loc, kind, message, input, context string) {
	line := fmt.Sprintf("\n  {'type': %s, 'loc': %s, 'msg': %s, 'input': %s", pyjson.Repr(kind), pyjson.Repr(loc), pyjson.Repr(message), pyjson.Repr(input))
	if context != "" {
		line += ", 'ctx': " + context
	}
	f.lines = append(f.lines, line+"}")
	if f.param == "" {
		f.param = loc
	}
}

// NotOneOf is the fault of a word that is none of the choices.
func (f *Mistakes) NotOneOf(loc, input string, choices ...string) {
	quoted := make([]string, len(choices))
	for i, c := range choices {
		quoted[i] = "'" + c + "'"
	}
	last := len(quoted) - 1
	expected := strings.Join(quoted[:last], ", ") + " or " + quoted[last]
	f.Add(loc, "literal_error", "Input should be "+expected, input, "{'expected': "+pyjson.Repr(expected)+"}")
}

// Refused answers with the faults, if there are any.
func (f *Mistakes) Refused(w http.ResponseWriter) bool {
	if f.lines == nil {
		return false
	}
	plural := "s"
	if len(f.lines) == 1 {
		plural = ""
	}
	Refuse(w, &protocol.Error{Status: http.StatusBadRequest, Type: protocol.TypeSchema, Param: f.param,
		Message: fmt.Sprintf("%d validation error%s:%s", len(f.lines), plural, strings.Join(f.lines, ""))})
	return true
}

// Query reads the parameters of a URL as FastAPI does.
type Query struct {
	Mistakes
	values url.Values
}

// QueryOf are the parameters of a request's URL.
func QueryOf(r *http.Request) *Query {
	values := url.Values{}
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") { // a semicolon is part of a value, unlike in Go
		name, value, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if pair != "" && err1 == nil && err2 == nil {
			values.Add(name, value)
		}
	}
	return &Query{values: values}
}

// get returns the last value of a name.
func (q *Query) get(name string) (string, bool) {
	all := q.values[name]
	if len(all) == 0 {
		return "", false
	}
	return all[len(all)-1], true
}

func (q *Query) fault(name, kind, message, input, context string) {
	q.Add("query."+name, kind, message, input, context)
}

// Between reads an integer within bounds.
func (q *Query) Between(name string, absent, least, most int) int {
	text, ok := q.get(name)
	if !ok {
		return absent
	}
	i, ok := schema.ParseInt(text)
	n := int(i)
	switch {
	case !ok:
		q.fault(name, "int_parsing", "Input should be a valid integer, unable to parse string as an integer", text, "")
	case n < least:
		q.fault(name, "greater_than_equal", fmt.Sprintf("Input should be greater than or equal to %d", least), text, fmt.Sprintf("{'ge': %d}", least))
	case n > most:
		q.fault(name, "less_than_equal", fmt.Sprintf("Input should be less than or equal to %d", most), text, fmt.Sprintf("{'le': %d}", most))
	}
	return n
}

// OneOf reads one of a few words; the first is the default.
func (q *Query) OneOf(name string, choices ...string) string {
	text, ok := q.get(name)
	if !ok {
		return choices[0]
	}
	if !slices.Contains(choices, text) {
		q.NotOneOf("query."+name, text, choices...)
	}
	return text
}

// Truth reads a boolean in pydantic's spellings.
func (q *Query) Truth(name string, absent bool) bool {
	text, ok := q.get(name)
	if !ok {
		return absent
	}
	switch strings.ToLower(text) {
	case "1", "true", "t", "yes", "y", "on":
		return true
	case "0", "false", "f", "no", "n", "off":
		return false
	}
	q.fault(name, "bool_parsing", "Input should be a valid boolean, unable to interpret input", text, "")
	return false
}

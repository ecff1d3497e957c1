package head

import (
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/httpfield"
)

// usualFields is how many fields the requests of most clients have at most.
const usualFields = 12

// special are the values of the fields that are for the server itself.
type special struct {
	httpfield.Framing
	hosts, expect []string
}

// parseFields reads the lines of a header, which end with a blank one. The host is no part of the header.
func (r *Head) parseFields(rest string) (special, error) {
	n := strings.Count(rest, "\n")
	r.Header = make(http.Header, n)
	values := r.values[:]
	if n > len(values) {
		values = make([]string, n) // one allocation for all of them
	}
	var found special
	for {
		var line string
		if line, rest = cutLine(rest); line == "" {
			return found, nil
		}
		name, value, ok := strings.Cut(line, ":")
		if name = httpfield.Canonical(name); !ok || name == "" {
			return found, Malformed("A line of the header is malformed.") // folded lines and spaces before the colon, too
		}
		if value = httpfield.Trim(value); !httpfield.IsValue(value) {
			return found, Malformed("A value of the header has control characters.")
		}
		list := values[:1:1]
		list[0], values = value, values[1:]
		if name == "Host" {
			found.hosts = with(found.hosts, list)
			continue
		}
		list = with(r.Header[name], list)
		r.Header[name] = list
		if name == "Expect" {
			found.expect = list
		}
		found.Note(name, list)
	}
}

// with is the values before and one more, or the list that it came in where there are none.
func with(before, one []string) []string {
	if before == nil {
		return one
	}
	return append(before, one[0])
}

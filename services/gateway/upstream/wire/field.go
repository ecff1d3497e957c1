package wire

import (
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/httpfield"
)

// parseFields reads lines of fields, each with its end. Names and values are parts of text. room is for the lists of values.
func parseFields(text string, room []string) (http.Header, error) {
	n := strings.Count(text, "\n")
	fields, values := make(http.Header, min(n, 32)), room
	if n > len(room) {
		values = make([]string, n)
	}
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		line = strings.TrimSuffix(line, "\r")
		if line != "" && (line[0] == ' ' || line[0] == '\t') {
			return nil, malformed("the header line %.40q is folded", line)
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" {
			return nil, malformed("the header line %.40q has no name", line)
		}
		key := httpfield.Canonical(name)
		if key == "" {
			return nil, malformed("the header name %.40q has characters that none may have", name)
		}
		if value = httpfield.Trim(value); !httpfield.IsValue(value) {
			return nil, malformed("the header %s has control characters", key)
		}
		if have, ok := fields[key]; ok {
			fields[key] = append(have, value)
			continue
		}
		values[0] = value
		fields[key], values = values[:1:1], values[1:]
	}
	return fields, nil
}

// hasToken tells whether a list of tokens has one.
func hasToken(values []string, token string) bool {
	for _, list := range values {
		for item := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(httpfield.Trim(item), token) {
				return true
			}
		}
	}
	return false
}

package golden

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A value is an object, []any, string, json.Number, bool or nil, and once masked also hidden.
type (
	object []member
	member struct {
		key   string
		value any
	}
)

// parseJSON keeps the order of members, repeated members, and numbers as they are written.
func parseJSON(text string) (any, error) {
	if !json.Valid([]byte(text)) { // which also bounds the depth, to 10000
		return nil, errors.New("not JSON")
	}
	in := json.NewDecoder(strings.NewReader(text))
	in.UseNumber()
	return readValue(in)
}

func readValue(in *json.Decoder) (any, error) {
	token, err := in.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := object{}
		for in.More() {
			key, err := in.Token()
			if err != nil {
				return nil, err
			}
			value, err := readValue(in)
			if err != nil {
				return nil, err
			}
			o = append(o, member{key.(string), value}) // a decoder gives nothing else in this place
		}
		_, err := in.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for in.More() {
			value, err := readValue(in)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := in.Token()
		return list, err
	}
	return token, nil
}

// flatten writes a value as lines, one a leaf, each with the path to it: equal lines are equal values in equal order.
func flatten(path string, value any) []string {
	switch v := value.(type) {
	case object:
		if len(v) == 0 {
			return []string{path + " = {}"}
		}
		var lines []string
		for _, m := range v {
			key := m.key
			if strings.ContainsAny(key, ".[]= \n\"") {
				key = strconv.Quote(key)
			}
			lines = append(lines, flatten(path+"."+key, m.value)...)
		}
		return lines
	case []any:
		if len(v) == 0 {
			return []string{path + " = []"}
		}
		var lines []string
		for i, x := range v {
			lines = append(lines, flatten(fmt.Sprintf("%s[%d]", path, i), x)...)
		}
		return lines
	case string:
		return []string{path + " = " + strconv.Quote(v)}
	case nil:
		return []string{path + " = null"}
	}
	return []string{fmt.Sprintf("%s = %v", path, value)}
}

// style says how a JSON text is written: Python's json.dumps puts spaces behind separators and escapes what is not ASCII,
// Pydantic and Starlette do neither. An escape that no encoder of vLLM writes, such as Go's of <, shows here too.
func style(text string) string {
	spaced, escaped, quoted := false, false, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
			escaped = escaped || escapesPrintable(text[i:])
		case c == '"':
			quoted = !quoted
		case c == ' ' && !quoted:
			spaced = true
		}
	}
	name := "compact"
	if spaced {
		name = "spaced"
	}
	if escaped {
		name += ", with escapes"
	}
	return name
}

// escapesPrintable looks at what follows a backslash: u0000 to u001f have to be escaped, others need not.
func escapesPrintable(escape string) bool {
	if len(escape) < 5 || escape[0] != 'u' {
		return false
	}
	code, err := strconv.ParseUint(escape[1:5], 16, 16)
	return err == nil && code >= 0x20
}

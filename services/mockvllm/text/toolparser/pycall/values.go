package pycall

import (
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// maxNesting bounds the nesting of values.
const maxNesting = 100

var words = map[string]any{"None": nil, "null": nil, "True": true, "true": true, "False": false, "false": false}

func (r *Reader) value(depth int) (any, error) {
	r.space()
	if depth > maxNesting || r.at == len(r.text) {
		return nil, errNoCall
	}
	switch c := r.text[r.at]; {
	case c == '"' || c == '\'':
		return r.string(c)
	case c == '[':
		return r.list(depth)
	case c == '{':
		return r.dict(depth)
	case c == '-' || '0' <= c && c <= '9':
		v, n, err := pyjson.DecodePrefix(r.text[r.at:])
		if r.at += n; err != nil || r.at == len(r.text) { // a number may go on
			return nil, errNoCall
		}
		return v, nil
	}
	v, ok := words[r.word("")]
	if !ok {
		return nil, errNoCall
	}
	return v, nil
}

func (r *Reader) list(depth int) (any, error) {
	r.at++
	list := []any{}
	for !r.Take("]") {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		r.Take(",")
	}
	return list, nil
}

func (r *Reader) dict(depth int) (any, error) {
	r.at++
	o := &pyjson.Object{}
	for !r.Take("}") {
		key, err := r.value(depth + 1)
		name, ok := key.(string)
		if err != nil || !ok || !r.Take(":") {
			return nil, errNoCall
		}
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		o.Set(name, v)
		r.Take(",")
	}
	return o, nil
}

var escapes = map[byte]string{'n': "\n", 't': "\t", 'r': "\r", 'b': "\b", 'f': "\f", '\\': `\`, '\'': `'`, '"': `"`}

// string reads a literal; an escape that Python does not know stays as it is.
func (r *Reader) string(quote byte) (string, error) {
	var b strings.Builder
	for r.at++; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; {
		case c == quote:
			r.at++
			return b.String(), nil
		case c != '\\':
			b.WriteByte(c)
		case r.at+1 < len(r.text):
			r.at++
			c = r.text[r.at]
			digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
			if digits == 0 {
				plain, ok := escapes[c]
				if !ok {
					plain = `\` + string(rune(c))
				}
				b.WriteString(plain)
				continue
			}
			if r.at+digits >= len(r.text) {
				return "", errNoCall
			}
			n, err := strconv.ParseUint(r.text[r.at+1:r.at+1+digits], 16, 31)
			if err != nil {
				return "", errNoCall
			}
			b.WriteRune(rune(n))
			r.at += digits
		}
	}
	return "", errNoCall
}

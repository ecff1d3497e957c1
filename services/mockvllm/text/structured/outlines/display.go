package outlines

import (
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// display appends a value as Rust's serde_json writes it.
func display(b []byte, v any) []byte {
	switch v := v.(type) {
	case []any:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = display(b, item)
		}
		return append(b, ']')
	case *pyjson.Object:
		b = append(b, '{')
		for i, m := range v.Members() {
			if i > 0 {
				b = append(b, ',')
			}
			b = display(append(pyjson.AppendString(b, m.Key), ':'), m.Value)
		}
		return append(b, '}')
	case pyjson.Number:
		return append(b, number(v)...)
	}
	return pyjson.AppendJSON(b, v, pyjson.Format{})
}

// number is what Rust reads: a float unless it is an integer of 64 bits.
func number(n pyjson.Number) string {
	text := string(n)
	_, signed := strconv.ParseInt(text, 10, 64)
	_, unsigned := strconv.ParseUint(text, 10, 64)
	if text != "-0" && (signed == nil || unsigned == nil) {
		return text
	}
	// Python writes two digits of an exponent at least.
	return strings.NewReplacer("e-0", "e-", "e+0", "e+").Replace(pyjson.Float(n.Float()))
}

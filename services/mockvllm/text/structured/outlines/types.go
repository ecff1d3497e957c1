package outlines

import (
	"slices"
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// outOfOrder is said of all bounds.
const outOfOrder = "maxLength must be greater than or equal to minLength"

func (w *walker) types(s *pyjson.Object) found {
	v := s.Value("type")
	types, many := v.([]any)
	if !many {
		types = []any{v}
	}
	return each(types, func(v any) found {
		name, ok := v.(string)
		if !ok {
			return fault("'type' must be a string or an array of string")
		}
		return w.typed(name, s)
	})
}

func (w *walker) typed(name string, s *pyjson.Object) found {
	switch name {
	case "boolean", "null":
		return found{}
	case "string":
		return text(s)
	case "number":
		for _, part := range []string{"Integer", "Fraction", "Exponent"} {
			if crossed(s, "minDigits"+part, "maxDigits"+part) {
				return fault(outOfOrder)
			}
		}
		return found{}
	case "integer":
		if crossed(s, "minDigits", "maxDigits") {
			return fault(outOfOrder)
		}
		return found{}
	case "array":
		if items, given := s.Get("items"); given && !barred(s, "maxItems") {
			return w.schema(items)
		}
		return found{}
	case "object":
		if more, given := s.Get("additionalProperties"); given && more != true && !barred(s, "maxProperties") {
			return w.schema(more)
		}
		return found{}
	}
	return fault("Unsupported type: " + name)
}

func text(s *pyjson.Object) found {
	least, low := s.Get("minLength")
	most, high := s.Get("maxLength")
	if low || high {
		least, isNumber := least.(pyjson.Number)
		most, bounds := most.(pyjson.Number)
		if low && high && isNumber && (!bounds || least.Float() > most.Float()) {
			return fault(outOfOrder)
		}
		return found{}
	}
	if pattern, ok := s.Value("pattern").(string); ok {
		return found{feature: feature(pattern)}
	}
	if format, ok := s.Value("format").(string); ok && !slices.Contains([]string{"date-time", "date", "time", "uuid", "uri", "email"}, format) {
		return fault("Format " + format + " is not supported by Outlines")
	}
	return found{}
}

// crossed tells whether of two counts the greatest is less than the least. The first digit of a whole number does not count.
func crossed(s *pyjson.Object, least, most string) bool {
	low, ok := count(s, least)
	high, bounds := count(s, most)
	if least == "minDigits" || least == "minDigitsInteger" {
		low, high = max(low, 1), max(high, 1)
	}
	return ok && bounds && high < low
}

// barred tells whether there can be nothing inside.
func barred(s *pyjson.Object, most string) bool {
	n, ok := count(s, most)
	return ok && n == 0
}

func count(s *pyjson.Object, key string) (n uint64, ok bool) {
	number, _ := s.Value(key).(pyjson.Number)
	n, err := strconv.ParseUint(string(number), 10, 64)
	return n, err == nil
}

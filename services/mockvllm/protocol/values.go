package protocol

import (
	"strconv"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Int64s is nil for what is no list.
func Int64s(v any) []int64 {
	list, ok := v.([]any)
	if !ok {
		return nil
	}
	ids := make([]int64, len(list))
	for i, id := range list {
		ids[i], _ = schema.Int(id)
	}
	return ids
}

// Texts reads a string or a list of them.
func Texts(v any) (all []string) {
	if s, one := v.(string); one {
		return []string{s}
	}
	list, _ := v.([]any)
	for _, item := range list {
		if s, ok := item.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// Members reads what the schema made of an object: a dict or a model.
func Members(v any) func(name string) any {
	return func(name string) any {
		switch v := v.(type) {
		case *schema.Values:
			return v.Get(name)
		case *pyjson.Object:
			return v.Value(name)
		}
		return nil
	}
}

// AppendJSON writes what the schema made of a value.
func AppendJSON(b []byte, v any) []byte {
	return pyjson.AppendJSON(b, schema.Dumped(v), pyjson.Format{Compact: true})
}

// Items makes JSON's list of values.
func Items[T any](values []T) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

// At is an item of a list that may not be there.
func At(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// AppendWord writes a token by its text. It leaves the object open.
func AppendWord(b []byte, text string, logprob float64) []byte {
	b = pyjson.AppendString(append(b, `{"token":`...), text)
	b = append(b, `,"logprob":`+pyjson.Float(logprob)+`,"bytes":[`...)
	for i := range len(text) {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(text[i]), 10)
	}
	return append(b, ']')
}

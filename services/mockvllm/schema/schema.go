package schema

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/declared"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/python"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/scalar"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/values"
)

// Values is what a model made of a body.
type Values = values.Values

// Iterator is a list that was taken as it is, to be validated when somebody reads it.
type Iterator = values.Iterator

// Error is why vLLM refuses a body.
type Error = refusal.Error

// TypeSchema is the type of errors of the schema itself.
const TypeSchema = refusal.TypeSchema

// Parse validates a decoded body against a request model of vLLM's, such as "ChatCompletionRequest" (see Models). Like
// vLLM's validators it may change the body's objects. The error is an *Error.
func Parse(model string, body any) (*Values, error) {
	return result(declared.Models().Parse(model, body))
}

// Validate is Parse where a handler of vLLM's validates, not FastAPI: what is wrong is told in pydantic's own words.
func Validate(model string, body any) (*Values, error) {
	return result(declared.Models().Validate(model, body))
}

func result(v *Values, err *Error) (*Values, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// Models are the names that Parse takes.
func Models() []string { return declared.Models().Names() }

// Check holds a value against a definition in the models, as vLLM does with parts of a request that it has let through. The
// error is in pydantic's own words.
func Check(definition string, val any) error {
	if err := declared.Models().Check(definition, val); err != nil {
		return err
	}
	return nil
}

// Salt is what is wrong with a cache_salt where vLLM makes one kind of request of another.
func Salt(salt string) error {
	if err := declared.Salt(salt); err != nil {
		return err
	}
	return nil
}

// Malformed is the schema error of a body that json.loads refuses.
func Malformed(e *pyjson.SyntaxError) *Error { return fault.Malformed(e) }

// MissingText is str of the ValidationError of a model called title, of whose fields an input lacks some.
func MissingText(title string, input any, fields ...string) string {
	return fault.MissingText(title, input, fields...)
}

// Int is a value of a field or a list as an integer, the nearest int64 where that is too small.
func Int(val any) (i int64, ok bool) { return values.Int(val) }

// ParseInt is the integer that pydantic reads in a text, the nearest int64 where that is too small.
func ParseInt(text string) (i int64, ok bool) {
	n, ok := scalar.IntOf(text)
	if !ok {
		return 0, false
	}
	return values.Int(n)
}

// Items is a value of a field or a dict as a list: one that is validated already, or an Iterator's. False is neither.
func Items(val any) (list []any, ok bool, err error) { return values.Items(val) }

// Dumped is model_dump of a field's value, whatever it is.
func Dumped(v any) any { return values.Dumped(v) }

// Truthy is Python's bool of a value of a body.
func Truthy(v any) bool { return python.Truthy(v) }

// Beyond64 tells whether a value of a body holds an integer that neither 64 bits with nor without a sign can hold.
func Beyond64(v any) bool { return python.Beyond64(v) }

// Unique has each of some texts or numbers of a body once, in the order of the first ones.
func Unique(list []any) []any { return python.Unique(list) }

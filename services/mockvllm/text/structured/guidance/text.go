package guidance

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// TextFault is what is wrong with the text of a schema that Python has read, in the words of Rust's serde_json: Python knows NaN and
// Infinity, JSON does not. It is "" when nothing is.
func TextFault(text string) string {
	fault, wrong := errors.AsType[*json.SyntaxError](json.Unmarshal([]byte(text), &json.RawMessage{}))
	if !wrong {
		return ""
	}
	read := text[:fault.Offset]
	what := "expected value"
	if strings.HasSuffix(read, "-I") {
		what = "invalid number"
	}
	return fmt.Sprintf("%s at line %d column %d", what, 1+strings.Count(read, "\n"), len(read)-1-strings.LastIndex(read, "\n"))
}

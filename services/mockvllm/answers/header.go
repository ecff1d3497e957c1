package answers

import (
	"math/big"
	"net/http"
	"regexp"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// pythonInt is what Python's int reads.
var pythonInt = regexp.MustCompile(`^\s*[+-]?[0-9]+(_[0-9]+)*\s*$`)

// wholeHeader reads a header, which is named in its canonical form, as Python's int does; nil is none.
func wholeHeader(r *http.Request, name string) *big.Int {
	values := r.Header[name]
	if len(values) == 0 {
		return nil
	}
	text := values[0]
	if text == "" || len(text) > pyjson.MaxDigits || !pythonInt.MatchString(text) {
		return nil
	}
	n, ok := new(big.Int).SetString(strings.ReplaceAll(strings.TrimSpace(text), "_", ""), 10)
	if !ok {
		return nil
	}
	return n
}

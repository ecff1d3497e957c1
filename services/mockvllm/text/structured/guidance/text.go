package guidance

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// TextFault is what is wrong with the text of a schema that Python has read, in the words of Rust's serde_json: Python knows NaN and
// Infinity, JSON does not, and numbers end where those of 64 bits do. It is "" when nothing is.
func TextFault(text string) string {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		if n, isNumber := token.(json.Number); isNumber {
			if f, _ := n.Float64(); math.IsInf(f, 0) {
				return at(text[:int(d.InputOffset())-unread(string(n))], "number out of range")
			}
		}
	}
	fault, wrong := errors.AsType[*json.SyntaxError](json.Unmarshal([]byte(text), &json.RawMessage{}))
	switch {
	case !wrong:
		return ""
	case strings.HasSuffix(text[:fault.Offset], "-I"):
		return at(text[:fault.Offset], "invalid number")
	}
	return at(text[:fault.Offset], "expected value")
}

// at tells a fault and how far the text was read.
func at(read, what string) string {
	return fmt.Sprintf("%s at line %d column %d", what, 1+strings.Count(read, "\n"), len(read)-1-strings.LastIndex(read, "\n"))
}

// unread is how many digits are left of a number when its exponent is beyond 32 bits, which is where reading ends.
func unread(number string) int {
	i := strings.IndexAny(number, "eE")
	if i < 0 {
		return 0
	}
	digits := strings.TrimLeft(number[i+1:], "+0")
	for n := range len(digits) {
		if _, err := strconv.ParseInt(digits[:n+1], 10, 32); err != nil {
			return len(digits) - n - 1
		}
	}
	return 0
}

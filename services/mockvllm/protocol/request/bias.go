package request

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// bias reads the weights that a request puts on tokens. A key that is no token is kept for the check that refuses it.
func bias(v *schema.Values) (all []sampling.Bias) {
	given := v.Object("logit_bias")
	if given == nil {
		return nil
	}
	for key, by := range given.All() {
		b := sampling.Bias{Key: key, Token: sampling.NoToken}
		if number, id, ok := token(key); ok {
			b.Key, b.Token = number, max(id, sampling.NoToken+1)
		}
		weight, _ := by.(float64)
		b.By = min(100, max(-100, weight))
		all = append(all, b)
	}
	return all
}

// token reads a key as Python's int does: with blanks around it, a sign, underscores between digits, and the digits of any
// script. number is the key as Python shows it.
func token(key string) (number string, id int64, ok bool) {
	key = strings.Map(asciiDigit, strings.TrimSpace(key))
	digits := strings.TrimLeft(key, "+-")
	if len(key)-len(digits) > 1 || strings.HasPrefix(digits, "_") || strings.HasSuffix(digits, "_") || strings.Contains(digits, "__") {
		return "", 0, false
	}
	digits = strings.ReplaceAll(digits, "_", "")
	if digits == "" || len(digits) > pyjson.MaxDigits || strings.Trim(digits, "0123456789") != "" {
		return "", 0, false
	}
	number = strings.TrimLeft(digits, "0")
	if number == "" {
		return "0", 0, true
	}
	if strings.HasPrefix(key, "-") {
		number = "-" + number
	}
	id, _ = strconv.ParseInt(number, 10, 64) // what does not fit is out of every vocabulary
	return number, id, true
}

// asciiDigit turns a decimal digit of any script into that of ASCII. The ranges of Unicode's table begin with zeros.
func asciiDigit(r rune) rune {
	if r < utf8.RuneSelf || !unicode.IsDigit(r) {
		return r
	}
	zero := r
	for unicode.IsDigit(zero - 1) {
		zero--
	}
	return '0' + (r-zero)%10
}

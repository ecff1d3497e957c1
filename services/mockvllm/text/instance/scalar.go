package instance

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"
)

// number is 1 where that is allowed, else the nearest to a bound that is; the nth differ by one step each.
func number(s *jsonschema.Schema, whole bool, nth int) any {
	low, lowOpen := bound(s.Minimum, s.ExclusiveMinimum, math.Inf(-1), 1)
	high, highOpen := bound(s.Maximum, s.ExclusiveMaximum, math.Inf(1), -1)
	step, grid := 1.0, whole
	if s.MultipleOf != nil && *s.MultipleOf > 0 {
		step, grid = *s.MultipleOf, true
	}
	x := 1.0
	fits := math.Mod(x, step) == 0 && x >= low && x <= high && (x != low || !lowOpen) && (x != high || !highOpen)
	switch {
	case fits:
	case !math.IsInf(low, 0):
		x = inside(low, high, step, lowOpen, grid)
	case !math.IsInf(high, 0):
		x = -inside(-high, -low, step, highOpen, grid)
	default:
		x = step
	}
	x += float64(nth) * step
	if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		return int64(x)
	}
	return x
}

// bound is the tighter of an included and an excluded one. side is 1 for lower bounds and -1 for upper ones.
func bound(included, excluded *float64, none, side float64) (at float64, open bool) {
	at = none
	if included != nil {
		at = *included
	}
	if excluded != nil && side**excluded >= side*at {
		return *excluded, true
	}
	return at, false
}

// inside is the lowest number from low on: a multiple of step on a grid.
func inside(low, high, step float64, open, grid bool) float64 {
	if grid {
		x := math.Ceil(low/step) * step
		if open && x == low {
			x += step
		}
		return x
	}
	if open {
		return low + min(step, (high-low)/2)
	}
	return low
}

// formats are examples of the formats that tools use.
var formats = map[string]string{
	"date":      "2026-01-31",
	"date-time": "2026-01-31T12:00:00Z",
	"time":      "12:00:00Z",
	"duration":  "PT1H",
	"email":     "someone@example.com",
	"hostname":  "example.com",
	"ipv4":      "192.0.2.1",
	"ipv6":      "2001:db8::1",
	"uri":       "https://example.com/",
	"url":       "https://example.com/",
	"uuid":      "123e4567-e89b-42d3-a456-426614174000",
}

// text is a string: one of the pattern or the format, else the last word of the hint, of the right length.
func (m *maker) text(s *jsonschema.Schema, nth int) (any, error) {
	if s.Pattern != "" {
		return match(s.Pattern, least(s))
	}
	if example, ok := formats[s.Format]; ok {
		return example, nil
	}
	text := lastWord(m.hint)
	if nth > 0 {
		text += fmt.Sprintf(" %d", nth+1)
	}
	if n := least(s) - utf8.RuneCountInString(text); n > maxText {
		return nil, fmt.Errorf("%d characters are too many", n)
	} else if n > 0 {
		text += strings.Repeat("x", n)
	}
	if s.MaxLength != nil && *s.MaxLength >= 0 && utf8.RuneCountInString(text) > *s.MaxLength {
		text = string([]rune(text)[:*s.MaxLength])
	}
	return text, nil
}

func least(s *jsonschema.Schema) int {
	if s.MinLength == nil {
		return 0
	}
	return *s.MinLength
}

func lastWord(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return "text"
	}
	return words[len(words)-1]
}

package prompt

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Length is a number of tokens: fixed, or equally often each one of a range.
type Length struct{ Min, Max int }

// longest is far above the context of any model.
const longest = 10_000_000

// ParseLength reads "128" or "64-512".
func ParseLength(text string) (Length, error) {
	low, high, ranged := strings.Cut(text, "-")
	if !ranged {
		high = low
	}
	least, err := strconv.Atoi(low)
	most, err2 := strconv.Atoi(high)
	if err != nil || err2 != nil || least < 0 || most < least || most > longest {
		return Length{}, fmt.Errorf("length %q: write a number of tokens such as 128, or a range such as 64-512", text)
	}
	return Length{least, most}, nil
}

func (l Length) pick(rng *rand.Rand) int { return l.Min + rng.IntN(l.Max-l.Min+1) }

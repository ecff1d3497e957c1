package text

// shown is how many characters of what was asked an answer repeats.
const shown = 50

// Guide is what the answer mode guide says.
func Guide(asked string) string { return "Mock response to: " + Beginning(asked) + "..." }

// Beginning is the part of what was asked that an answer repeats.
func Beginning(asked string) string { return firstRunes(asked, shown) }

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

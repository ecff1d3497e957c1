package pretokenizer

import "regexp"

// Stage is one step of cutting a text into words. It is safe for concurrent use.
type Stage struct {
	PrefixSpace bool // the text is given a space in front when it has none
	// First returns the length of the first piece of a text that is not empty, at least 1; drop leaves the piece out.
	First func(text string) (n int, drop bool)
}

// ByteLevel is the pre-tokenizer of that name: it cuts by the pattern of GPT-2, or, without useRegex, not at all.
func ByteLevel(prefixSpace, useRegex bool) Stage {
	if useRegex {
		return Stage{prefixSpace, gpt2}
	}
	return Stage{prefixSpace, whole}
}

func whole(text string) (n int, drop bool) { return len(text), false }

// Digits cuts numbers out, each digit alone where individual is set.
func Digits(individual bool) Stage {
	if individual {
		return Stage{First: pattern(regexp.MustCompile(`\pN`), 0, false)}
	}
	return Stage{First: pattern(regexp.MustCompile(`\pN+`), 0, false)}
}

// Split cuts by a regular expression. What lies between two matches is a word as well, or, with dropBetween, left out. The error
// says why package regexp cannot match it.
func Split(regex string, dropBetween bool) (Stage, error) {
	if first, ok := known[regex]; ok {
		return Stage{First: first}, nil
	}
	re, lookahead, err := compile(regex)
	if err != nil {
		return Stage{}, err
	}
	return Stage{First: pattern(re, lookahead, dropBetween)}, nil
}

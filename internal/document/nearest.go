package document

import "strings"

// longestTypo is how long a name may be to be taken for another one that was mistyped.
const longestTypo = 100

// Nearest returns the known name that a person most likely meant, or "".
func Nearest(name string, known []string) string {
	if len(name) > longestTypo {
		return ""
	}
	best, least := "", 1+max(min(2, len(name)/2), len(name)/3)
	for _, k := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d < least && d < len(k) {
			best, least = k, d
		}
	}
	return best
}

// distance counts the insertions, deletions and replacements of bytes between a and b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

package bpe_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer/bpe"
)

// TestEncode: merges are done by rank and not from left to right, and a byte that the vocabulary lacks is dropped.
func TestEncode(t *testing.T) {
	vocab := map[string]int32{"a": 0, "b": 1, "c": 2, "bc": 3, "ab": 4, "abc": 5, "Ġ": 6}
	merges := [][2]string{{"b", "c"}, {"a", "b"}}
	for name, c := range map[string]struct {
		word   string
		ignore bool
		want   []int
	}{
		"the lower rank":            {"abc", false, []int{0, 3}},
		"a token as it is":          {"abc", true, []int{5}},
		"the other merge":           {"abab", false, []int{4, 4}},
		"a space":                   {" a", false, []int{6, 0}},
		"a byte of no token":        {"axb", false, []int{4}},
		"longer than is remembered": {strings.Repeat("bc", 40), false, slices.Repeat([]int{3}, 40)},
		"nothing":                   {"", false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := bpe.New(vocab, merges, c.ignore)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time it is remembered
				if got := m.Encode(nil, c.word); !slices.Equal(got, c.want) {
					t.Errorf("%v, want %v", got, c.want)
				}
			}
		})
	}
}

// TestForeignMerge: a merge of what the vocabulary lacks is an error.
func TestForeignMerge(t *testing.T) {
	if _, err := bpe.New(map[string]int32{"a": 0, "b": 1}, [][2]string{{"a", "b"}}, false); err == nil || !strings.Contains(err.Error(), `"a" and "b"`) {
		t.Error(err)
	}
}

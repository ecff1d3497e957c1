package generation

import (
	"slices"
	"strings"
)

// decode gives all tokens at a place their texts behind the ones before it: one that ends within a character has none, and one that
// completes the character has all of it.
func (m *Model) decode(all Position, before []int) {
	for i := range all {
		all[i].Text = m.Tokenizer.Text(all[i].Token)
		if strings.HasSuffix(all[i].Text, broken) {
			all[i].Text = m.completed(all[i].Token, before)
		}
	}
}

// completed is the text of a token and of those before it that its character began with, "" if they make none.
func (m *Model) completed(id int, before []int) string {
	for n := 1; n <= len(before); n++ {
		context := before[len(before)-n:]
		all := m.Tokenizer.Decode(append(slices.Clone(context), id), false)
		if strings.HasSuffix(all, broken) {
			continue
		}
		for n > 0 && strings.HasSuffix(m.Tokenizer.Text(context[n-1]), broken) {
			n--
		}
		return strings.TrimPrefix(all, m.Tokenizer.Decode(context[:n], false))
	}
	return ""
}

// broken stands for bytes that are no character.
const broken = "\ufffd"

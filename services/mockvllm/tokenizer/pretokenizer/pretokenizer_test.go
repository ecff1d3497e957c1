package pretokenizer_test

import (
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer/pretokenizer"
)

const (
	gpt2   = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	cl100k = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// words cuts a text by one stage, and shows where.
func words(s pretokenizer.Stage, text string) string {
	var all []string
	for text != "" {
		n, drop := s.First(text)
		if !drop {
			all = append(all, text[:n])
		}
		text = text[n:]
	}
	return strings.Join(all, "|")
}

func split(t *testing.T, regex string, drop bool) pretokenizer.Stage {
	t.Helper()
	s, err := pretokenizer.Split(regex, drop)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWords(t *testing.T) {
	const text = "I'LL it's  1234 µm,\n\n ok"
	for name, c := range map[string]struct {
		stage pretokenizer.Stage
		want  string
	}{
		"ByteLevel":         {pretokenizer.ByteLevel(false, true), "I|'|LL| it|'s| | 1234| µm|,|\n\n| ok"},
		"ByteLevel, whole":  {pretokenizer.ByteLevel(false, false), text},
		"Digits":            {pretokenizer.Digits(false), "I'LL it's  |1234| µm,\n\n ok"},
		"Digits, each":      {pretokenizer.Digits(true), "I'LL it's  |1|2|3|4| µm,\n\n ok"},
		"Split, GPT-2":      {split(t, gpt2, false), "I|'|LL| it|'s| | 1234| µm|,|\n\n| ok"},
		"Split, GPT-4":      {split(t, cl100k, false), "I|'LL| it|'s| | |123|4| µm|,\n\n| ok"},
		"Split, spaces":     {split(t, `\s+`, false), "I'LL| |it's|  |1234| |µm,|\n\n |ok"},
		"Split, words kept": {split(t, `\S+`, true), "I'LL|it's|1234|µm,|ok"},
	} {
		if got := words(c.stage, text); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestByHand: the patterns that are matched by hand cut as package regexp does, which gets them under another spelling.
func TestByHand(t *testing.T) {
	for _, pattern := range []string{gpt2, cl100k} {
		hand, regex := split(t, pattern, false), split(t, "(?:"+strings.Replace(pattern, `|\s+(?!\S)|`, `)|\s+(?!\S)|(?:`, 1)+")", false)
		for _, text := range []string{"a", " ", "  a", "\r\n\r\n x", "it'S 12\u00a034\u2028\u3000z!?\n", "'ſab'Sx", "né\u0301e ٣٤٥٦", " \t \n \t"} {
			if got, want := words(hand, text), words(regex, text); got != want {
				t.Errorf("%q: %q by hand, %q by %s", text, got, want, pattern)
			}
		}
	}
}

func TestSplitRefuses(t *testing.T) {
	if _, err := pretokenizer.Split(`(?<=a)b`, false); err == nil {
		t.Error("a lookbehind was compiled")
	}
}

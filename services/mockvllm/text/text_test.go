package text

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestTokensAreWordsAndSpaces(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		var got []string
		for _, id := range Encode(text) {
			got = append(got, Piece(id))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q:\n%s", text, diff)
		}
	}
	f("")
	f("Hello, how are you?", "Hello", ",", " how", " are", " you", "?")
	f("  two spaces", "  ", "two", " space", "s")
	f("internationalisation", "intern", "ationa", "lisati", "on")
	f("Grüße 世界🎉", "Grüß", "e", " 世", "界", "🎉")
	f("<|begin|><|user|>\nx<|nobody|>", "<|begin|>", "<|user|>", "\n", "x", "<", "|", "nobody", "|", ">")
	f("a\x00b", "a", "\x00", "b")
}

func TestUnknownTokensHaveNoText(t *testing.T) {
	for _, id := range []int{-1, len(specials), idBase - 1, idBase << (8 * pieceBytes), 2 << 8, 1 << 62} {
		if got := Piece(id); got != "" || Known(id) {
			t.Errorf("Piece(%d) = %q", id, got)
		}
	}
	if got := Decode([]int{0, 99, pieceID("a"), End}); got != "<|begin|>a<|end|>" {
		t.Errorf("Decode = %q", got)
	}
}

func FuzzEncode(f *testing.F) {
	for _, seed := range []string{"Hello, how are you?", "  a\n\n b ", "日本語🎉<|end|>", "\x00\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got := Decode(Encode(text)); got != text {
			t.Fatalf("Decode(Encode(%q)) = %q", text, got)
		}
		if !utf8.ValidString(text) {
			return
		}
		for _, id := range Encode(text) {
			if piece := Piece(id); !utf8.ValidString(piece) || id >= Vocabulary || len(piece) > LongestToken {
				t.Fatalf("token %d is %q", id, piece)
			}
		}
	})
}

func FuzzComplete(f *testing.F) {
	f.Add("Mock response to: x...", "to", 5, 0, false)
	f.Add("aaaa bbbb", "b", 100, 12, true)
	f.Fuzz(func(t *testing.T, answer, stop string, most, least int, ignore bool) {
		most, least = min(max(most, 1), 200), min(max(least, 0), 200)
		if answer == "" || stop == "" || !utf8.ValidString(answer) {
			return
		}
		lim := Limits{Max: most, Min: min(least, most), Stop: []string{stop}, IgnoreEnd: ignore}
		c := Complete(answer, lim)
		n, text := len(c.Deltas), c.Text(len(c.Deltas))
		if n > most || c.Finish == FinishLength && n != most {
			t.Fatalf("%d tokens of %d, %s", n, most, c.Finish)
		}
		if !strings.HasPrefix(strings.Repeat(answer, most+1), text) {
			t.Fatalf("text %q is not the answer %q", text, answer)
		}
		if lim.Min == 0 && strings.Contains(text, stop) {
			t.Fatalf("stop string %q in %q", stop, text)
		}
	})
}

func TestStopStringsAreHeldBack(t *testing.T) {
	c := Complete("one two three", Limits{Max: 10, Stop: []string{"twx"}})
	want := Completion{Deltas: []string{"o", "ne t", "wo thr", "ee"}, Finish: FinishStop, StopToken: -1}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestStopTokens(t *testing.T) {
	c := Complete("one two three", Limits{Max: 10, StopTokens: []int{pieceID(" two")}})
	want := Completion{Deltas: []string{"one", ""}, Finish: FinishStop, StopToken: pieceID(" two")}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTemplate(t *testing.T) {
	messages := []Message{{"system", "s"}, {"user", "u"}}
	f := func(tpl Template, want string) {
		t.Helper()
		if got := tpl.Render(messages); got != want {
			t.Errorf("%+v: %q, want %q", tpl, got, want)
		}
	}
	f(Template{}, "<|begin|><|system|>\ns<|end|>\n<|user|>\nu<|end|>\n")
	f(Template{AddGenerationPrompt: true}, "<|begin|><|system|>\ns<|end|>\n<|user|>\nu<|end|>\n<|assistant|>\n")
	f(Template{ContinueFinalMessage: true}, "<|begin|><|system|>\ns<|end|>\n<|user|>\nu")
}

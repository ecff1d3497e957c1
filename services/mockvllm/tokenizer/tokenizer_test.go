package tokenizer_test

import (
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// each calls f for every JSON line of a file.
func each[T any](t *testing.T, path string, f func(T)) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n := 0
	for d := json.NewDecoder(file); ; n++ {
		var line T
		if err := d.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		f(line)
	}
	if n == 0 {
		t.Fatalf("%s is empty", path)
	}
}

// TestSample holds the tokens of texts against those that Hugging Face's library gives.
func TestSample(t *testing.T) {
	f := func(tok *tokenizer.Tokenizer, sample string) {
		t.Helper()
		each(t, filepath.Join("testdata", sample), func(c struct {
			Text    string
			IDs     []int
			Decoded string
		}) {
			got := tok.Encode(c.Text, true)
			if d := cmp.Diff(c.IDs, append([]int{}, got...)); d != "" {
				t.Errorf("%s: Encode(%q) (-want +got):\n%s", sample, c.Text, d)
			}
			if text := tok.Decode(c.IDs, false); text != c.Decoded {
				t.Errorf("%s: Decode(%v) = %q, want %q", sample, c.IDs, text, c.Decoded)
			}
			for limit := range min(len(got), 10) + 2 {
				if d := cmp.Diff(got[:min(limit, len(got))], tok.EncodeN(c.Text, true, limit)); d != "" {
					t.Errorf("%s: EncodeN(%q, %d) (-want +got):\n%s", sample, c.Text, limit, d)
				}
			}
		})
	}
	f(tokenizer.Tiny(), "tiny.jsonl")
	for _, family := range []string{"gpt2", "llama3", "qwen2", "o200k", "flags"} {
		tok, err := tokenizer.Load(filepath.Join("testdata", family))
		if err != nil {
			t.Fatal(err)
		}
		f(tok, family+".jsonl")
	}
}

// TestStreams holds the text of each token of a stream against what vLLM's FastIncrementalDetokenizer gives for it.
func TestStreams(t *testing.T) {
	tok := tokenizer.Tiny()
	each(t, "testdata/streams.jsonl", func(c struct {
		Prompt, IDs []int
		SkipSpecial bool `json:"skip_special"`
		Spaces      bool
		Deltas      []string
	}) {
		d := tok.Detokenizer(c.Prompt, c.SkipSpecial, c.Spaces)
		var got []string
		for _, id := range c.IDs {
			got = append(got, d.Add(id))
		}
		if diff := cmp.Diff(c.Deltas, got); diff != "" {
			t.Errorf("prompt %v, ids %v, skip %t (-want +got):\n%s", c.Prompt, c.IDs, c.SkipSpecial, diff)
		}
	})
}

func TestDecodeBroken(t *testing.T) {
	tok := tokenizer.Tiny()
	byteToken := func(b byte) int {
		for id := range tok.Size() {
			if string(tok.Bytes(id)) == string([]byte{b}) {
				return id
			}
		}
		t.Fatalf("no token for byte %#x", b)
		return 0
	}
	f := func(bytes, want string) {
		t.Helper()
		var ids []int
		for i := range len(bytes) {
			ids = append(ids, byteToken(bytes[i]))
		}
		if got := tok.Decode(ids, false); got != want {
			t.Errorf("Decode(% x) = %q, want %q", bytes, got, want)
		}
	}
	f("\x80", "\ufffd")
	f("\xe2\x82", "\ufffd") // one U+FFFD for what could have become a character
	f("\xe2\x82a", "\ufffda")
	f("\xe2\x82\xe2\x82\xac", "\ufffd€")
	f("\xf0\x9f\x98", "\ufffd")
	f("\xe0\x80\x80", "\ufffd\ufffd\ufffd") // and one for each byte that could not
	f("\xed\xa0\x80", "\ufffd\ufffd\ufffd")
	f("\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd")
	f("\xf0\x90\x80", "\ufffd")
	f("\xc0\xaf\xff", "\ufffd\ufffd\ufffd")
	f("\xc3\xa9", "é")
}

func TestTiny(t *testing.T) {
	tok := tokenizer.Tiny()
	there, _ := tok.ID("Ġthere")
	want := []any{2000, 1999, 1, 0, 13, true, " there", "Ġthere", " there", true, false, false, false, "", "", true, "<think>"}
	got := []any{tok.Size(), tok.MaxID(), tok.EOS(), tok.BOS(), tok.LongestToken(), there > 0, string(tok.Bytes(there)), tok.Spelling(there),
		tok.Text(there), tok.IsSpecial(tok.EOS()), tok.IsSpecial(1996), tok.Known(2000), tok.Known(-1), tok.Text(2000), tok.Decode([]int{-1, 2000, 0}, true),
		tok.Known(0), tok.Decode([]int{0, 1996}, true)}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// FuzzRoundTrip: without a normalizer every text comes back whole, and a stream of its tokens adds up to it.
func FuzzRoundTrip(f *testing.F) {
	for _, s := range []string{"", "Hello, 'world's\n\n  1234 <|end|><think>", "é😀\u00a0 \xff\xe2\x82 x", "<|en<|end|", strings.Repeat("ab ", 50)} {
		f.Add(s, 3)
	}
	tok := tokenizer.Tiny()
	f.Fuzz(func(t *testing.T, text string, limit int) {
		ids := tok.Encode(text, false)
		want := strings.ToValidUTF8(text, "\ufffd")
		if want == text {
			if got := tok.Decode(ids, false); got != text {
				t.Fatalf("Decode(Encode(%q)) = %q", text, got)
			}
		}
		var joined strings.Builder
		for _, id := range ids {
			joined.Write(tok.Bytes(id))
		}
		if joined.String() != text {
			t.Fatalf("the bytes of %q are %q", text, joined.String())
		}
		if got, most := tok.EncodeN(text, false, limit), max(min(limit, len(ids)), 0); !cmp.Equal(got, ids[:most]) {
			t.Fatalf("EncodeN(%q, %d) = %v, want %v", text, limit, got, ids[:most])
		}
		d := tok.Detokenizer(nil, false, true)
		var stream strings.Builder
		for _, id := range ids {
			stream.WriteString(d.Add(id))
		}
		if whole := tok.Decode(ids, false); !strings.HasPrefix(whole, stream.String()) {
			t.Fatalf("a stream of %q gives %q", whole, stream.String())
		}
	})
}

const prompt = "Write a short note about how inference servers batch requests: which tokens go into one step, what happens when the " +
	"cache is full, and why a long prompt is cut into chunks. Keep it below 200 words, use plain language, and end with one example " +
	"that shows the numbers for 16 requests of 128 tokens each. Thanks!"

func BenchmarkEncode(b *testing.B) {
	tok := tokenizer.Tiny()
	b.SetBytes(int64(len(prompt)))
	b.ReportAllocs()
	for b.Loop() {
		tok.Encode(prompt, true)
	}
}

func BenchmarkEncodeLong(b *testing.B) {
	tok := tokenizer.Tiny()
	f := func(name, text string) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				tok.Encode(text, true)
			}
		})
	}
	f("words", strings.Repeat(prompt, 10_000_000/len(prompt)))
	f("one word", strings.Repeat("thereand", 10_000_000/8))
	letters := make([]byte, 10_000_000)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range letters {
		letters[i] = 'a' + byte(random.IntN(26))
	}
	f("random word", string(letters))
	f("spaces", strings.Repeat(" ", 10_000_000))
	f("brackets", strings.Repeat("<|", 5_000_000))
}

func BenchmarkDetokenize(b *testing.B) {
	tok := tokenizer.Tiny()
	d := tok.Detokenizer(nil, true, true)
	ids := tok.Encode(prompt, false)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d.Add(ids[i%len(ids)])
	}
}

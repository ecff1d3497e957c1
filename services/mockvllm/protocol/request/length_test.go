package request

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// small is a model with a context of eight tokens.
func small() *Model {
	return &Model{Model: generation.NewModel(tokenizer.Tiny(), generation.Guide, 0), MaxLen: 8}
}

func number(n int64) *int64 { return &n }

// TestPromptsAreCut: "abcdefgh" with a token for each letter, and the special token 0 before them.
func TestPromptsAreCut(t *testing.T) {
	m := small()
	var letters []int
	for _, c := range "azbxcwdv" {
		letters = append(letters, m.Tokenizer.Encode(string(c), false)...)
	}
	all := m.Tokenizer.Decode(letters, false)
	if got := m.Tokenizer.Encode(all, true); !slices.Equal(got, append([]int{0}, letters...)) {
		t.Fatalf("%q is %v", all, got)
	}
	f := func(l Length, want ...int) {
		t.Helper()
		l.Special = true
		got, err := l.Tokens(all, m)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%+v: %v (-want +got):\n%s", l, err, diff)
		}
	}
	last := func(n int) []int { return letters[len(letters)-n:] }
	f(Length{Truncate: number(1)}, 0)
	f(Length{Truncate: number(3)}, append([]int{0}, last(2)...)...) // the tokenizer keeps what it puts before a text
	f(Length{Truncate: number(3), Side: "left"}, last(3)...)
	f(Length{Truncate: number(3), Side: "right"}, append([]int{0}, letters[:2]...)...)
	f(Length{Truncate: number(-1)}, append([]int{0}, last(6)...)...) // one place is left for an answer
	f(Length{Truncate: number(-1), Side: "left"}, last(7)...)
	f(Length{Truncate: number(-1), Max: number(0), Side: "left"}, last(8)...)
	f(Length{Truncate: number(8), Side: "right"}, append([]int{0}, letters[:7]...)...)
	refused := func(l Length, text, want string) {
		t.Helper()
		if _, err := l.Tokens(text, m); err == nil || err.Message != want {
			t.Errorf("%+v %q: %v, want %s", l, text, err, want)
		}
	}
	const long = "This model's maximum context length is 8 tokens. However, your prompt contains at least 9 input tokens, which exceeds this " +
		"limit even without any output tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=9)"
	refused(Length{Special: true}, all, long)
	refused(Length{}, "\xed\xa0\x80", BadText().Message) // half of a pair, as package pyjson holds it
}

func TestLengthChecks(t *testing.T) {
	m := small()
	f := func(l Length, want string) {
		t.Helper()
		got := ""
		if err := l.Check(m); err != nil {
			got = err.Message
		}
		if got != want {
			t.Errorf("%+v: %q, want %q", l, got, want)
		}
	}
	f(Length{}, "")
	f(Length{Max: number(8), Truncate: number(8)}, "")
	f(Length{Max: number(-5), Truncate: number(-1)}, "") // told later
	const most = " cannot be greater than max_model_len=8. Please request fewer output tokens. (parameter=max_tokens, value="
	f(Length{Max: number(9), MaxName: "max_tokens"}, "max_tokens=9"+most+"9)")
	f(Length{Max: number(9), MaxName: "max_tokens", said: "1e30"}, "max_tokens=1e30"+most+"1e30)")
	f(Length{Truncate: number(9)}, "truncate_prompt_tokens=9 cannot be greater than max_model_len = 8. "+
		"Please request a smaller truncation size. (parameter=truncate_prompt_tokens, value=9)")
}

func TestBudget(t *testing.T) {
	f := func(asked, most *int64, want int64) {
		t.Helper()
		m := small()
		m.Defaults.MaxTokens = most
		prompt := &generation.Prompt{Tokens: make([]int, 3)}
		if got := (Length{Max: asked}).Budget(prompt, m); got != want {
			t.Errorf("%v %v: %d, want %d", asked, most, got, want)
		}
	}
	f(nil, nil, 5)
	f(number(2), nil, 2)
	f(number(7), nil, 5)
	f(number(0), nil, 0)
	f(nil, number(4), 4)
	f(number(5), number(4), 4)
	f(number(1), number(4), 1)
	var none *protocol.Error
	if _, err := (Length{}).Cut([]int{1}, small()); err != none {
		t.Errorf("one token: %v", err)
	}
}

package generation

import (
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// Output is a part of an answer, or all of it: what vLLM calls a CompletionOutput.
type Output struct {
	Text     string
	Tokens   []int      // ids
	Logprobs []Position // of Tokens, when they were asked for
	Finish   string     // "" while the answer goes on
	Stop     any        // as Answer.Stop
}

// tokenBytes is how much text most tokens have at most.
const tokenBytes = 6

// Reader tells an answer as its tokens become due.
type Reader struct {
	a     *Answer
	detok tokenizer.Detokenizer
	held  []byte // text that is not told yet
	holds int    // characters that a stop string may still take back
	chars int    // of held, where any are held back
	told  int    // bytes
	at    int    // tokens
	out   Output
}

// readers lend memory to those who give it back.
var readers = sync.Pool{New: func() any { return new(Reader) }}

// mostRead bounds what is kept of it, in tokens.
const mostRead = 1 << 10

// Read begins at the first token.
func (a *Answer) Read() *Reader {
	r := readers.Get().(*Reader)
	r.a, r.detok, r.holds = a, a.detok, hold(a.params)
	return r
}

// Release gives the memory back, of what Next returned too. It may be left out.
func (r *Reader) Release() {
	if cap(r.out.Tokens) <= mostRead && cap(r.held) <= mostRead*tokenBytes && r.out.Logprobs == nil {
		*r = Reader{held: r.held[:0], out: Output{Tokens: r.out.Tokens[:0]}}
		readers.Put(r)
	}
}

// Told is how many tokens were told.
func (r *Reader) Told() int { return r.at }

// Next tells the tokens up to n, and with over that no more will come: with the answer's own reason when all of it is
// told, else with that of an abort. What it returns is valid until the next call.
func (r *Reader) Next(n int, over bool) *Output {
	a := r.a
	more := max(0, n-r.at)
	r.out = Output{Tokens: slices.Grow(r.out.Tokens[:0], more), Logprobs: r.out.Logprobs[:0]}
	r.held = slices.Grow(r.held, more*tokenBytes)
	for ; r.at < n; r.at++ {
		id := a.Token(r.at)
		r.out.Tokens = append(r.out.Tokens, id)
		if a.odds != nil {
			r.out.Logprobs = append(r.out.Logprobs, a.position(r.at))
		}
		if r.at+1 == a.Tokens && a.mute() {
			continue // the token that ends an answer is not part of its text
		}
		text := r.detok.Add(id)
		r.held = append(r.held, text...)
		if r.holds > 0 {
			r.chars += utf8.RuneCountInString(text)
		}
	}
	if over {
		r.out.Finish, r.out.Stop = a.Finish, a.Stop
		if r.at < a.Tokens {
			r.out.Finish, r.out.Stop = FinishAbort, nil
		} else if a.told >= 0 {
			r.held = r.held[:min(len(r.held), max(0, a.told-r.told))]
		}
	}
	r.out.Text = r.release(over)
	return &r.out
}

// mute tells whether the last token is hidden: vLLM leaves the end token and stop tokens out of the text, also where special
// tokens are shown, unless stops are to be kept.
func (a *Answer) mute() bool {
	_, word := a.Stop.(string)
	return a.Finish == FinishStop && !word && !a.params.IncludeStop
}

// release gives the text that no stop string can take back any more.
func (r *Reader) release(all bool) string {
	n := len(r.held)
	if r.holds > 0 && !all {
		for n = 0; r.chars > r.holds; r.chars-- {
			_, size := utf8.DecodeRune(r.held[n:])
			n += size
		}
	}
	if n == 0 {
		return ""
	}
	text := string(r.held[:n])
	r.held = append(r.held[:0], r.held[n:]...)
	r.told += n
	return text
}

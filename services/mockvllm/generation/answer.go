package generation

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/tokenizer"
)

// Finish reasons, as vLLM spells them.
const (
	FinishStop       = "stop"
	FinishLength     = "length"
	FinishAbort      = "abort"
	FinishRepetition = "repetition"
	FinishError      = "error" // of the engine: no client gets such an answer
)

// Answer is what one choice will say.
type Answer struct {
	Tokens int    // how many; the end token counts
	Finish string // why it ends with the last one
	Stop   any    // the stop string, the id of the stop token, "repetition_detected", or nil

	Failure string // why the engine fails with the last one, where Finish is FinishError

	Seed uint64 // of all that is random about it

	source source
	detok  tokenizer.Detokenizer // as it stands before the first token
	params *sampling.Params
	told   int // bytes of text, where a stop string cuts it; -1: all

	odds  odds   // of the tokens, where somebody asked
	model *Model // that says them
}

// Token is the id of token i, from 0.
func (a *Answer) Token(i int) int { return a.source.token(i) }

// position tells how likely token i was.
func (a *Answer) position(i int) Position {
	id := a.Token(i)
	all := position(a.odds.at(i, id), id, a.model.Tokenizer.Size(), a.params)
	var before []int
	for j := max(0, i-utf8.UTFMax); j < i; j++ {
		before = append(before, a.Token(j))
	}
	a.model.decode(all, before)
	return all
}

// fail has the engine fail with token i.
func (a *Answer) fail(i int, why string) { a.Tokens, a.Finish, a.Failure = i+1, FinishError, why }

// plan finds the end of an answer.
func plan(detok tokenizer.Detokenizer, src source, p *sampling.Params) *Answer {
	a := &Answer{Tokens: int(p.MaxTokens), Finish: FinishLength, Seed: src.seed, source: src, detok: detok, params: p, told: -1}
	if n, never := src.endless(p); never {
		a.Tokens = min(a.Tokens, n)
		return a
	}
	w := watch{a: a, detok: detok}
	for i := range a.Tokens {
		if w.ended(i, src.token(i)) {
			a.Tokens = i + 1
			break
		}
	}
	return a
}

// watch looks at an answer as it grows, for what ends it: first the engine's reasons, as check_stop orders them, then stop
// strings, which only the detokenizer can see.
type watch struct {
	a     *Answer
	detok tokenizer.Detokenizer
	text  strings.Builder
	free  int // a stop string must end behind this byte
	ids   []int
}

func (w *watch) ended(i, id int) bool {
	a, p := w.a, w.a.params
	stopped := true
	switch {
	case id == a.source.eos && !p.IgnoreEOS:
		a.Finish = FinishStop
	case slices.Contains(p.StopTokenIDs, int64(id)):
		a.Finish, a.Stop = FinishStop, id
	default:
		stopped = false
	}
	if len(p.Stop) > 0 && (!stopped || p.IncludeStop) {
		before := w.text.Len()
		w.text.WriteString(w.detok.Add(id))
		if i < int(p.MinTokens) {
			w.free = w.text.Len()
		}
		if w.stopString(before, i) {
			return true
		}
	}
	if stopped || int64(i+1) >= p.MaxTokens {
		return true
	}
	return w.repeats(i, id)
}

// stopString looks for a stop string that ends in the text after before.
func (w *watch) stopString(before, i int) bool {
	a, p := w.a, w.a.params
	if i < int(p.MinTokens) {
		return false
	}
	all, from := w.text.String(), max(before, w.free)
	for _, s := range p.Stop {
		at := strings.Index(all[max(0, from-len(s)+1):], s)
		if at < 0 {
			continue
		}
		at += max(0, from-len(s)+1)
		if p.IncludeStop {
			at += len(s)
		}
		a.Finish, a.Stop, a.told = FinishStop, s, at
		return true
	}
	return false
}

// repeats tells whether the last tokens are one pattern again and again.
func (w *watch) repeats(i, id int) bool {
	r := w.a.params.Repetition
	if r.MaxSize <= 0 || r.Count < 2 {
		return false
	}
	w.ids = append(w.ids, id)
	if int64(i+1) < w.a.params.MinTokens {
		return false
	}
	for size := max(r.MinSize, 1); size <= min(r.MaxSize, int64(len(w.ids))/r.Count); size++ {
		tail := w.ids[len(w.ids)-int(size*r.Count):]
		if slices.Equal(tail[size:], tail[:len(tail)-int(size)]) {
			w.a.Finish, w.a.Stop = FinishRepetition, "repetition_detected"
			return true
		}
	}
	return false
}

// hold is how many characters of text are held back while a stop string may still come.
func hold(p *sampling.Params) (n int) {
	if p.IncludeStop {
		return 0
	}
	for _, s := range p.Stop {
		n = max(n, utf8.RuneCountInString(s)-1)
	}
	return n
}

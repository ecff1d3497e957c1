package generation

import (
	"context"
	"math"
	"net/http"
	"strings"
	"unicode"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/sampling"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured"
)

// Work is one prompt of a request, which is to be answered as often as its parameters say.
type Work struct {
	Prompt  Prompt
	Params  *sampling.Params
	Answers []*Answer // once planned

	// Late is what is wrong with the prompt, to be told when the engine takes it. Usually nothing is.
	Late *protocol.Error

	model  *Model
	likely []Position
	form   *structured.Constraint // nil without one
}

// atOnce is how many answers are planned before it is asked again whether anybody waits for them.
const atOnce = 256

// Plan checks what only the engine can check, in vLLM's order, and plans the answers, unless ctx ends.
func (w *Work) Plan(ctx context.Context, m *Model, limits sampling.Limits) *protocol.Error {
	w.model = m
	if w.Params.Nothing() {
		w.Answers = []*Answer{{Finish: FinishLength, params: w.Params, told: -1}}
		return w.Params.Verify(limits)
	}
	for _, check := range []func() *protocol.Error{
		func() *protocol.Error { return w.Params.Verify(limits) },
		w.constrain,
		func() *protocol.Error { return w.Params.VerifyThinking(limits) },
		func() *protocol.Error { return m.known(&w.Prompt) },
		func() *protocol.Error { return w.Late },
		func() *protocol.Error { return w.Params.VerifyPrompt(len(w.Prompt.Tokens)) },
		func() *protocol.Error { return m.sayable(w.Params.BadWords) },
	} {
		if err := check(); err != nil {
			return err
		}
	}
	unfollowed := w.unfollowed()
	w.Answers = make([]*Answer, w.Params.N)
	for i := range w.Answers {
		if i%atOnce == atOnce-1 && ctx.Err() != nil {
			return &protocol.Error{Status: http.StatusInternalServerError, Type: protocol.TypeInternal, Message: ctx.Err().Error()} // nobody reads it
		}
		a := m.Answer(&w.Prompt, w.Params, i)
		if at, stuck := m.stuck(a, &w.Prompt, w.Params); unfollowed != "" {
			a.fail(0, unfollowed)
		} else if stuck {
			a.fail(at, "its constraint comes to a place where allowed_token_ids and bad_words leave no token")
		}
		w.Answers[i] = a
	}
	return nil
}

// known refuses prompts without tokens, and with tokens that there are not.
func (m *Model) known(prompt *Prompt) *protocol.Error {
	if len(prompt.Tokens) == 0 {
		return protocol.BadRequest(protocol.EmptyPrompt)
	}
	switch id, outside := m.Tokenizer.Outside(prompt.Tokens); {
	case outside && id == math.MaxInt && prompt.Beyond != "":
		return protocol.BadRequest("Token id %s is out of vocabulary", prompt.Beyond)
	case outside:
		return protocol.BadRequest("Token id %d is out of vocabulary", id)
	}
	return nil
}

// mostBadWords is vLLM's VLLM_MAX_NUM_BAD_WORDS.
const mostBadWords = 128

// sayable refuses words that are no tokens, and too many of them.
func (m *Model) sayable(words []string) *protocol.Error {
	refuse := func(format string, args ...any) *protocol.Error {
		all := make([]any, len(words))
		for i, w := range words {
			all[i] = w
		}
		return protocol.BadValue("bad_words", pyjson.Repr(all), format, args...)
	}
	n := 0
	for _, w := range words {
		forms := m.forms(w)
		if len(forms) == 0 {
			return refuse("bad_words entries must tokenize to at least one token.")
		}
		if n += len(forms); n > mostBadWords {
			return refuse("Too many bad words after tokenization: %d. The max number is %d.", mostBadWords+1, mostBadWords)
		}
	}
	return nil
}

// forms are the tokens of a bad word: at the beginning of a text, and behind a blank where that makes another token of it.
func (m *Model) forms(word string) [][]int {
	word = strings.TrimLeftFunc(word, func(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }) // as Python's lstrip
	first, inside := m.Tokenizer.Encode(word, false), m.Tokenizer.Encode(" "+word, false)
	switch {
	case len(first) == 0:
		return nil
	case len(inside) == len(first) && inside[0] != first[0]:
		return [][]int{first, inside}
	}
	return [][]int{first}
}

// PromptLogprobs tells how likely the prompt was, nil when nobody asked.
func (w *Work) PromptLogprobs() []Position {
	if w.likely == nil && w.Params.PromptLogprobs != nil {
		w.likely = w.model.PromptLogprobs(&w.Prompt, *w.Params.PromptLogprobs)
	}
	return w.likely
}

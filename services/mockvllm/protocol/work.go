package protocol

import "github.com/fluidmcp/fluidmcp/services/mockvllm/text"

// Work is one answer to be given, ready for the engine.
type Work struct {
	Prompt       []int // tokens; of no use once the engine has the work
	PromptTokens int   // how many
	Answer       text.Completion

	calls    choosing
	parallel bool        // more than one call may be told
	parts    []text.Part // of the deltas, when calls are read from them
}

// newWork reads calls from an answer that has some.
func newWork(prompt []int, answer text.Completion, calls choosing, parallel bool) Work {
	w := Work{Prompt: prompt, PromptTokens: len(prompt), Answer: answer, calls: calls, parallel: parallel}
	if calls != noCalls {
		w.parts = text.ReadParts(answer.Deltas)
	}
	return w
}

// part is what token i brings.
func (w Work) part(i int) text.Part {
	if w.calls != noCalls {
		return w.parts[i]
	}
	return text.Part{Words: w.Answer.Deltas[i]}
}

// last is the part that comes with the end of an answer.
func (w Work) last(delivered int) text.Part {
	if delivered < len(w.Answer.Deltas) {
		return text.Part{}
	}
	return w.part(delivered - 1)
}

// Choice is the whole answer, of which tokens were delivered.
func (w Work) Choice(tokens int) Choice {
	c := Choice{Text: w.Answer.Text(tokens), Finish: w.finish(tokens), Stop: w.stop(tokens)}
	if w.calls == noCalls {
		return c
	}
	c.Text, c.Calls = text.ReadCalls(c.Text)
	if len(c.Calls) == 0 {
		return c
	}
	c.Finish = w.called(c.Finish)
	c.NoText = c.Text == "" && w.calls == auto
	if !w.parallel {
		c.Calls = c.Calls[:1]
	}
	return c
}

// finish is why the answer ended, before anyone looked for calls.
func (w Work) finish(tokens int) string {
	if tokens < len(w.Answer.Deltas) {
		return text.FinishAbort
	}
	return w.Answer.Finish
}

// called is the finish reason of an answer with calls. A named tool was no choice of the model's.
func (w Work) called(finish string) string {
	if finish == text.FinishStop && w.calls != named {
		return finishCalls
	}
	return finish
}

const finishCalls = "tool_calls"

// stop is what was met: a string, a token's id, or nil.
func (w Work) stop(tokens int) any {
	switch {
	case tokens < len(w.Answer.Deltas):
	case w.Answer.StopString != "":
		return jsonText(w.Answer.StopString)
	case w.Answer.StopToken >= 0:
		return w.Answer.StopToken
	}
	return nil
}

// streamedFinish is the finish reason that a stream tells, of which tokens were delivered.
func (w Work) streamedFinish(tokens int) string {
	finish := w.finish(tokens)
	if w.calls == noCalls {
		return finish
	}
	for _, p := range w.parts[:tokens] {
		if len(p.Calls) > 0 {
			return w.called(finish)
		}
	}
	return finish
}

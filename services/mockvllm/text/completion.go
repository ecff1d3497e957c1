package text

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits say where an answer ends.
type Limits struct {
	Max         int      // tokens with the end token, at least 1
	Min         int      // tokens before anything but Max ends the answer, which begins again where it would end
	Stop        []string // the answer ends before the first of these
	StopTokens  []int    // the answer ends with the first of these
	IncludeStop bool     // keep the stop string
	IgnoreEnd   bool     // go on until Max, as with Min
}

// Finish reasons, as vLLM spells them.
const (
	FinishStop   = "stop"
	FinishLength = "length"
	FinishAbort  = "abort"
)

// Completion is an answer as a model gives it: one delta for each token, the last one together with the finish reason.
type Completion struct {
	Deltas     []string
	Finish     string // FinishStop or FinishLength
	StopString string // the stop string that was met, or ""
	StopToken  int    // the stop token that was met, or -1
}

// Text joins the first n deltas.
func (c Completion) Text(n int) string { return strings.Join(c.Deltas[:n], "") }

// Complete cuts an answer, which is not empty, into deltas under limits. While stop strings are given, text is held back by the length of
// the longest one minus one characters, as vLLM does, so a delta can be empty.
func Complete(answer string, lim Limits) Completion {
	w := writer{lim: lim, done: Completion{StopToken: -1}}
	for _, s := range lim.Stop {
		w.hold = max(w.hold, Chars(s)-1)
	}
	ids := encodePlain(answer)
	for i := 0; ; i++ {
		id := End
		if i < len(ids) || lim.IgnoreEnd || i < lim.Min {
			id = ids[i%len(ids)]
		}
		if w.token(id) {
			return w.done
		}
	}
}

// writer builds a Completion token by token.
type writer struct {
	lim  Limits
	hold int // characters

	text strings.Builder // everything so far
	sent int             // bytes of text in deltas
	from int             // a stop string must end after this byte
	done Completion
}

// token appends one token and tells whether the answer ended with it.
func (w *writer) token(id int) bool {
	n := len(w.done.Deltas) + 1
	free := n > w.lim.Min
	if id != End {
		w.text.WriteString(Piece(id))
	}
	if !free {
		w.from = w.text.Len()
	}
	switch {
	case id == End:
		return w.end(FinishStop)
	case free && slices.Contains(w.lim.StopTokens, id):
		w.done.StopToken = id
		return w.endBefore(w.text.Len()-len(Piece(id)), FinishStop)
	case free && w.stopped():
		return true
	case n >= w.lim.Max:
		return w.end(FinishLength)
	}
	w.emit(w.released())
	return false
}

// stopped ends the answer when a stop string is met.
func (w *writer) stopped() bool {
	all := w.text.String()
	for _, s := range w.lim.Stop {
		// Before what was sent no stop string can begin: it would have been met then.
		from := max(w.sent, w.from-len(s)+1)
		at := strings.Index(all[from:], s)
		if at < 0 {
			continue
		}
		at += from
		if w.lim.IncludeStop {
			at += len(s)
		}
		w.done.StopString = s
		return w.endBefore(at, FinishStop)
	}
	return false
}

func (w *writer) end(reason string) bool { return w.endBefore(w.text.Len(), reason) }

func (w *writer) endBefore(at int, reason string) bool {
	w.emit(max(at, w.sent))
	w.done.Finish = reason
	return true
}

func (w *writer) emit(upTo int) {
	w.done.Deltas = append(w.done.Deltas, w.text.String()[w.sent:upTo])
	w.sent = upTo
}

// released is the end of the text that no stop string can take back.
func (w *writer) released() int {
	all := w.text.String()
	at := len(all)
	for range w.hold {
		_, size := utf8.DecodeLastRuneInString(all[:at])
		at -= size
	}
	return max(at, w.sent)
}

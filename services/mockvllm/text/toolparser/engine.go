package toolparser

import "github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser/partialjson"

// state says what text means.
type state int

const (
	inWords    state = iota
	inPreamble       // of a call: dropped
	inName
	inArguments
	inBetween // after a call: dropped
)

// move is what a mark does in a state.
type move struct {
	to   state
	does effect
}

// effect of a mark, or several.
type effect int

const (
	begins    effect = 1 << iota // a call
	ends                         // the call; before begins where both are set
	arguments                    // the mark itself belongs to the arguments
)

// syntax describes a format for the engine.
type syntax struct {
	marks []string
	moves map[state]map[string]move // by mark; any other mark is text

	// convert makes JSON of the text between the marks, which is partial until the call ends; nil: the text is JSON.
	convert func(raw string, partial bool) (string, bool)
	// list says that the arguments' place holds a whole JSON array of calls, as {"name": ..., "arguments": ...}.
	list bool
	// header takes apart what stands in the place of the name; nil: it is the name.
	header func(text string) (id, name string, ok bool)
	// checkNames drops calls of tools that are not there.
	checkNames bool
	// keepSpace keeps the space around words when there are calls.
	keepSpace bool
	// oneValue says that what follows the first JSON value of the arguments is dropped when the whole text is read.
	oneValue bool
	// verbatim says that arguments stay as they are, and that a call which was cut is none, when the whole text is read.
	verbatim bool
	// firstArguments sends the text that comes with the name; else it comes with the next.
	firstArguments bool
}

// piece is what the engine found.
type piece struct {
	kind pieceKind
	call int
	text string
}

type pieceKind int

const (
	words pieceKind = iota
	callBegins
	callName
	callArguments
	callEnds
)

// engine follows a text through a syntax.
type engine struct {
	*syntax
	lexer lexer
	state state
	call  int // index of the current one
	json  partialjson.Cutter
	list  listCutter
}

func newEngine(s *syntax) *engine {
	return &engine{syntax: s, lexer: newLexer(s.marks), call: -1}
}

func (e *engine) feed(text string) []piece { return e.read(e.lexer.feed(text, false)) }

// finish ends the text, and with it a call that is open.
func (e *engine) finish() []piece {
	out := e.read(e.lexer.feed("", true))
	if rest := e.json.Rest(); rest != "" {
		out = append(out, piece{callArguments, e.call, rest})
	}
	if open := !e.syntax.list || e.list.inside; e.state != inWords && open && e.call >= 0 {
		out = append(out, piece{callEnds, e.call, ""})
	}
	e.state = inWords
	return out
}

func (e *engine) read(tokens []token) (out []piece) {
	for _, t := range tokens {
		var m move
		ok := false
		if t.mark >= 0 {
			m, ok = e.moves[e.state][t.text]
		}
		if ok {
			out = e.follow(m, t.text, out)
		} else {
			out = e.text(t.text, out)
		}
	}
	return out
}

func (e *engine) follow(m move, mark string, out []piece) []piece {
	if e.state == inArguments && m.to != inArguments {
		if rest := e.json.Rest(); rest != "" {
			out = append(out, piece{callArguments, e.call, rest})
		}
	}
	e.state = m.to
	if m.does&ends != 0 {
		out = append(out, piece{callEnds, e.call, ""})
	}
	if m.does&begins != 0 {
		e.call++
		out = append(out, piece{callBegins, e.call, ""})
	}
	if m.does&arguments != 0 {
		out = append(out, piece{callArguments, e.call, mark})
	}
	if e.state == inArguments {
		e.json, e.list = partialjson.Cutter{}, listCutter{}
	}
	return out
}

// text is what a text between marks means.
func (e *engine) text(text string, out []piece) []piece {
	switch e.state {
	case inWords:
		return append(out, piece{words, e.call, text})
	case inName:
		return append(out, piece{callName, e.call, text})
	case inArguments:
		switch {
		case e.syntax.list:
			return e.listText(text, out)
		case e.convert == nil:
			if text = e.json.Feed(text); text == "" {
				return out
			}
		}
		return append(out, piece{callArguments, e.call, text})
	}
	return out
}

package request

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/reasoning"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser"
)

// Said is a whole answer, taken apart.
type Said struct {
	Reasoning       *string
	Content         *string
	Calls           []toolparser.Call
	ReasoningTokens int
}

// Parse takes a whole answer apart: first reasoning, then the calls in the rest.
func (t *Turn) Parse(o *generation.Output) Said {
	said := Said{Content: &o.Text}
	if p, ok := t.thinking(); ok {
		said.Reasoning, said.Content = p.Split(o.Text)
		said.ReasoningTokens = p.Count(t.texts(o.Tokens))
	}
	if f, ok := t.calling(); ok && said.Content != nil {
		said.Content, said.Calls = f.Parse(*said.Content, t.Talk.Tools.List)
		t.Parsed.count(len(said.Calls) > 0)
	}
	return said
}

// thinking is how reasoning is told apart, if it is.
func (t *Turn) thinking() (reasoning.Parser, bool) {
	if t.Server.Reasoning == "" {
		return reasoning.Parser{}, false
	}
	return reasoning.Lookup(t.Server.Reasoning, t.Talk.thinks())
}

// calling is how calls are told apart, if they are looked for.
func (t *Turn) calling() (toolparser.Format, bool) {
	if t.Server.Tools == "" || t.Talk.Tools.Choice == NoCalls {
		return toolparser.Format{}, false
	}
	return toolparser.Lookup(t.Server.Tools)
}

// texts are the tokens as the vocabulary spells them, by which parsers know their marks.
func (t *Turn) texts(ids []int) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = t.Server.Tokenizer.Text(id)
	}
	return all
}

// thinks is what a request says about thinking, nil when it says nothing.
func (c *Conversation) thinks() *bool {
	if c.Kwargs != nil {
		for _, name := range []string{"enable_thinking", "thinking"} {
			if v, given := c.Kwargs.Get(name); given {
				on, _ := v.(bool)
				return &on
			}
		}
	}
	if c.Effort == "" {
		return nil
	}
	on := c.Effort != "none"
	return &on
}

// Piece is what a part of an answer brings. Members that are nil are not told.
type Piece struct {
	Reasoning *string
	Content   *string
	Calls     []toolparser.CallDelta
	NoContent bool // there are calls, and content is told to be null
	Hidden    bool // reasoning is told to be null
}

// Reader takes an answer apart as it comes.
type Reader struct {
	turn   *Turn
	hide   bool // the client wants no reasoning
	think  reasoning.Stream
	count  func(tokens []string) int
	format toolparser.Format
	calls  toolparser.Stream
	tokens []string // so far, where somebody counts them
}

// NewReader begins an answer. With hide reasoning is not told. Where answers are not taken apart the Reader is nil, and tells all as
// it is.
func (t *Turn) NewReader(hide bool) *Reader {
	p, thinks := t.thinking()
	if !thinks && t.Server.Tools == "" {
		return nil
	}
	r := &Reader{turn: t, hide: hide}
	if thinks {
		r.think, r.count = p.Stream(t.Work.Prompt.Text), p.Count
	}
	if f, ok := t.calling(); ok {
		r.format, r.calls = f, f.Stream(t.Talk.Tools.List)
	}
	return r
}

// ReasoningTokens is how many of the tokens so far were reasoning.
func (r *Reader) ReasoningTokens() int {
	if r == nil || r.count == nil {
		return 0
	}
	return r.count(r.tokens)
}

// Feed takes the next part. It returns nil when there is nothing to tell.
func (r *Reader) Feed(o *generation.Output) *Piece {
	if r == nil {
		return &Piece{Content: &o.Text}
	}
	p, some := r.read(o)
	if !some {
		return nil
	}
	if !r.hide {
		return p
	}
	p.Reasoning, p.Hidden = nil, true
	if (p.Content == nil || *p.Content == "") && len(p.Calls) == 0 {
		return nil
	}
	return p
}

func (r *Reader) read(o *generation.Output) (p *Piece, some bool) {
	p = &Piece{}
	text := o.Text
	if r.think != nil {
		tokens := r.turn.texts(o.Tokens)
		r.tokens = append(r.tokens, tokens...)
		if !r.think.Ended() {
			d, ok := r.think.Feed(text, tokens)
			if d.Reasoning != "" || ok && d.Content == "" && !r.think.Ended() {
				p.Reasoning, some = &d.Reasoning, true
			}
			if text = d.Content; !ok || text == "" {
				return p, some
			}
		}
	}
	if r.calls == nil {
		p.Content = &text
		return p, some || text != ""
	}
	d, ok := r.calls.Feed(text)
	r.turn.Parsed.count(len(d.Calls) > 0)
	if o.Finish != "" {
		if m, ok := r.calls.(toolparser.Unstreamer); ok && len(d.Calls) > 0 {
			d.Calls[len(d.Calls)-1].Arguments += m.Unstreamed()
		}
		last, more := r.calls.Finish()
		d.Content += last.Content
		d.Calls = append(d.Calls, last.Calls...)
		ok = ok || more
	}
	if !ok {
		return p, some
	}
	p.Calls = d.Calls
	p.NoContent = len(d.Calls) > 0 && d.Content == "" && !r.format.LeavesContentOut
	if d.Content != "" {
		p.Content = &d.Content
	}
	return p, true
}

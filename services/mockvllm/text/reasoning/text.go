package reasoning

import (
	"strings"
	"unicode"
)

// textMarks is thinking between marks in the text.
type textMarks struct {
	start, end string
	thinks     bool     // from the first word on, without a mark
	again      bool     // start may come after words
	call       string   // begins a call: thinking ends before it
	inert      []string // other marks of the model: text, but what may become one is held back
	trims      bool     // space at the end of the thoughts is dropped
}

const (
	think, thinkEnd       = "<think>", "</think>"
	toolCall, toolCallEnd = "<tool_call>", "</tool_call>"
)

var (
	qwenTags = []string{"<function=", "</function>", "<parameter=", "</parameter>", ">"}

	qwen3   = textMarks{start: think, end: thinkEnd, thinks: true, call: toolCall, inert: append([]string{toolCallEnd}, qwenTags...)}.parser()
	step3p5 = textMarks{
		start: think, end: thinkEnd, thinks: true, call: toolCall, inert: append([]string{toolCallEnd}, qwenTags...), trims: true,
	}.parser()
	seedOSS = textMarks{
		start: "<seed:think>", end: "</seed:think>", thinks: true, call: "<seed:tool_call>",
		inert: append([]string{"</seed:tool_call>"}, qwenTags...),
	}.parser()
	glm = textMarks{
		start: think, end: thinkEnd, thinks: true, again: true, call: toolCall,
		inert: []string{toolCallEnd, "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"}, trims: true,
	}.parser()
	kimiK2 = textMarks{
		start: think, end: thinkEnd, thinks: true, call: "<|tool_calls_section_begin|>", trims: true,
		inert: []string{"<|tool_calls_section_end|>", "<|tool_call_begin|>", "<|tool_call_end|>", "<|tool_call_argument_begin|>"},
	}.parser()
	minimaxM2 = textMarks{
		start: think, end: thinkEnd, thinks: true, call: "<minimax:tool_call>", trims: true,
		inert: []string{
			"</minimax:tool_call>", `<invoke name="`, `<invoke name='`, `<invoke name=`, "</invoke>", `">`, `'>`, ">", "<parameter name=", "</parameter>",
		},
	}.parser()
	mistral = textMarks{
		start: "[THINK]", end: "[/THINK]", again: true, call: "[TOOL_CALLS]", inert: []string{"[ARGS]", "{"}, trims: true,
	}.parser()
)

func (m textMarks) parser() Parser {
	return Parser{
		Start: m.start, End: m.end,
		split:  m.split,
		stream: func() Stream { return m.newStream() },
		count:  m.count,
	}
}

func (m textMarks) newStream() *textStream {
	return &textStream{textMarks: m, thinking: m.thinks, all: append([]string{m.start, m.end, m.call}, m.inert...)}
}

func (m textMarks) split(text string) (reasoning, content *string) {
	s := m.newStream()
	d := s.read(text, true)
	return filled(d.Reasoning), filled(d.Content)
}

// count counts tokens that bring thoughts, marks not among them.
func (m textMarks) count(tokens []string) (n int) {
	s := m.newStream()
	for _, t := range tokens {
		was := s.thinking
		if s.read(t, false); was && s.thinking && t != m.start {
			n++
		}
		if s.called { // in a call no mark begins thoughts
			break
		}
	}
	return n
}

// textStream follows a text. Over means that thinking has ended; in a whole text it can begin again.
type textStream struct {
	textMarks
	all      []string // marks
	held     string   // may become a mark
	space    string   // at the end of the thoughts so far
	blank    string   // words so far, when they are nothing but space
	spoken   bool
	thinking bool
	over     bool
	called   bool
}

func (s *textStream) Feed(text string, _ []string) (Delta, bool) {
	if s.over {
		return Delta{Content: text}, text != ""
	}
	d := s.read(text, false)
	d.Content = s.blank + d.Content
	s.blank = ""
	if s.over { // nothing is held back any more
		d.Content += s.held
		s.held = ""
	} else if !s.spoken && strings.TrimSpace(d.Content) == "" {
		s.blank, d.Content = d.Content, ""
	}
	s.spoken = s.spoken || d.Content != ""
	return d, d.Reasoning != "" || d.Content != ""
}

func (s *textStream) Finish() (Delta, bool) {
	if s.over {
		return Delta{}, false
	}
	s.space, s.trims = "", false
	d := s.read("", true)
	d.Content = s.blank + d.Content
	return d, d.Reasoning != "" || d.Content != ""
}

func (s *textStream) Ended() bool { return s.over }

// read takes the next piece. final says that nothing more will come.
func (s *textStream) read(text string, final bool) (d Delta) {
	rest := s.held + text
	s.held = ""
	for rest != "" {
		n, mark, partial := s.next(rest)
		s.words(&d, rest[:n])
		rest = rest[n:]
		switch {
		case partial && !final:
			s.held = rest
			rest = ""
		case mark != "":
			s.mark(&d, mark)
			rest = rest[len(mark):]
		default:
			s.words(&d, rest)
			rest = ""
		}
	}
	if s.trims && s.thinking {
		trimmed := strings.TrimRightFunc(s.space+d.Reasoning, unicode.IsSpace)
		s.space = (s.space + d.Reasoning)[len(trimmed):]
		d.Reasoning = trimmed
	} else if s.trims {
		d.Reasoning = strings.TrimRightFunc(s.space+d.Reasoning, unicode.IsSpace)
		s.space = ""
	}
	return d
}

// next finds the first mark in text: there are n bytes before it. partial says that the text ends before the mark does.
func (s *textStream) next(text string) (n int, mark string, partial bool) {
	for n = range text {
		for _, m := range s.all {
			if strings.HasPrefix(text[n:], m) && len(m) > len(mark) {
				mark = m
			}
			partial = partial || len(text)-n < len(m) && strings.HasPrefix(m, text[n:])
		}
		if mark != "" || partial {
			return n, mark, partial
		}
	}
	return len(text), "", false
}

func (s *textStream) words(d *Delta, text string) {
	if s.thinking {
		d.Reasoning += text
	} else {
		d.Content += text
	}
}

// mark follows a mark.
func (s *textStream) mark(d *Delta, mark string) {
	switch {
	case mark == s.start && s.thinking:
	case mark == s.start && s.again:
		s.thinking = true
	case mark == s.end && s.thinking:
		s.thinking, s.over = false, true
	case mark == s.end:
	case mark == s.call:
		s.thinking, s.over, s.called = false, true, true
		d.Content += mark
	default:
		s.words(d, mark)
	}
}

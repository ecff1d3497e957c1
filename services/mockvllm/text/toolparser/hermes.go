package toolparser

import (
	"regexp"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// jsonMarks is the format <tool_call>{"name": ..., "arguments": {...}}</tool_call> with any two marks.
type jsonMarks struct{ open, end string }

var (
	hermes  = jsonMarks{"<tool_call>", "</tool_call>"}.format()
	longcat = jsonMarks{"<longcat_tool_call>", "</longcat_tool_call>"}.format()
)

func (m jsonMarks) format() Format {
	return Format{
		write: m.write, parse: m.parse,
		stream: func([]Tool) Stream { return &jsonMarksStream{marks: m} },
	}
}

// write has names as they are, because vLLM's grammar has: one with a quote makes a call that cannot be read.
func (m jsonMarks) write(calls []Call) string {
	blocks := make([]string, len(calls))
	for i, c := range calls {
		blocks[i] = m.open + `{"name": "` + c.Name + `", "arguments": ` + c.Arguments + "}" + m.end
	}
	return strings.Join(blocks, "\n")
}

// parse gives up at the first block that is no call: then all of the text is content. A block whose end mark is missing counts
// when it is complete, and arguments may be any JSON value. Words after the first call are lost.
func (m jsonMarks) parse(text string, _ []Tool) (string, []Call) {
	words, rest, found := strings.Cut(text, m.open)
	var calls []Call
	for found {
		var block string
		block, rest, _ = strings.Cut(rest, m.end)
		call, ok := callOf(block)
		if !ok {
			return text, nil
		}
		calls = append(calls, call)
		_, rest, found = strings.Cut(rest, m.open)
	}
	return words, calls
}

func callOf(block string) (Call, bool) {
	v, err := pyjson.DecodeString(block)
	o, isObject := v.(*pyjson.Object)
	if err != nil || !isObject {
		return Call{}, false
	}
	name, isString := o.Value("name").(string)
	arguments, has := o.Get("arguments")
	return Call{Name: name, Arguments: pyjson.DumpsUnicode(arguments)}, isString && has
}

// jsonMarksStream sends on what stands behind "arguments" as it is. It looks for "name" and "arguments" as text, not as JSON,
// because vLLM does.
type jsonMarksStream struct {
	marks jsonMarks
	held  string // outside of calls: what may be the beginning of a mark
	inner bool   // inside of a call
	begun int    // calls
	stuck bool   // a call ended without a name: vLLM then waits for it forever

	block     strings.Builder // the call so far
	searched  int             // up to here in block there is no end mark
	named     bool
	arguments int // where they begin in block; 0: not yet
	sent      int // bytes of them
}

func (s *jsonMarksStream) Feed(piece string) (d Delta, ok bool) {
	for piece != "" {
		if s.inner {
			piece = s.inside(piece, &d)
			continue
		}
		words, rest, found := strings.Cut(s.held+piece, s.marks.open)
		s.held, piece = "", rest
		if !found {
			n := len(words) - startOf(words, s.marks.open)
			words, s.held = words[:n], words[n:]
		}
		if s.begun == 0 {
			d.Content += words
		}
		if found {
			s.begun++
			s.inner, s.named, s.searched, s.arguments, s.sent = true, false, 0, 0, 0
			s.block.Reset()
			s.update("", true, &d)
		}
	}
	return d, d.Content != "" || len(d.Calls) > 0
}

// Finish: what was held back is lost.
func (s *jsonMarksStream) Finish() (Delta, bool) { return Delta{}, false }

// Unstreamed: of a call without arguments so far vLLM believes that they are an empty object, which was not sent.
func (s *jsonMarksStream) Unstreamed() string {
	if s.sent > 0 {
		return ""
	}
	return "{}"
}

// inside takes text of a call, and returns what is behind its end.
func (s *jsonMarksStream) inside(piece string, d *Delta) (rest string) {
	s.block.WriteString(piece)
	all := s.block.String()
	if at := strings.Index(all[s.searched:], s.marks.end); at >= 0 {
		at += s.searched
		s.update(all[:at], true, d)
		s.inner, s.stuck = false, s.stuck || !s.named
		return all[at+len(s.marks.end):]
	}
	s.searched = max(0, len(all)-len(s.marks.end)+1)
	s.update(all[:len(all)-startOf(all, s.marks.end)], false, d)
	return ""
}

var (
	nameRE      = regexp.MustCompile(`"name"[\s\v]*:[\s\v]*"([^"]+)"`)
	argumentsRE = regexp.MustCompile(`"arguments"[\s\v]*:[\s\v]*`)
)

// update sends what is new in a call. complete says that its end mark has come; JSON that is whole is complete without it.
func (s *jsonMarksStream) update(block string, complete bool, d *Delta) {
	block = strings.TrimRightFunc(block, isSpace)
	if s.stuck {
		return
	}
	if !s.named {
		name := nameRE.FindStringSubmatch(block)
		if name == nil {
			return
		}
		s.named = true
		d.Calls = append(d.Calls, CallDelta{Index: s.begun - 1, Begins: true, Name: name[1]})
	}
	if s.arguments == 0 {
		at := argumentsRE.FindStringIndex(block)
		if at == nil || at[1] == len(block) { // more space may follow
			return
		}
		s.arguments = at[1]
	}
	arguments := block[s.arguments:]
	if before, ok := strings.CutSuffix(arguments, "}"); ok && (complete || isJSON(block)) {
		arguments = strings.TrimRightFunc(before, isSpace)
	}
	if len(arguments) > s.sent {
		d.Calls = append(d.Calls, CallDelta{Index: s.begun - 1, Arguments: arguments[s.sent:]})
		s.sent = len(arguments)
	}
}

func isJSON(text string) bool {
	_, err := pyjson.DecodeString(strings.TrimLeftFunc(text, isSpace))
	return err == nil
}

// isSpace is Python's str.isspace.
func isSpace(r rune) bool { return '\x1c' <= r && r <= '\x1f' || strings.TrimSpace(string(r)) == "" }

// startOf is how many bytes at the end of text are the start of mark, not all of it.
func startOf(text, mark string) int {
	for n := min(len(text), len(mark)-1); n > 0; n-- {
		if strings.HasSuffix(text, mark[:n]) {
			return n
		}
	}
	return 0
}

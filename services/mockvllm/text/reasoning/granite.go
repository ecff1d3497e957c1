package reasoning

import (
	"regexp"
	"strings"
)

// granite says in words what it thinks and what it answers. Before all of both sentences were said, a whole text is content.
var granite = Parser{
	Start: "Here is my thought process:", End: "Here is my response:",
	split:  splitGranite,
	stream: func() Stream { return &graniteStream{} },
	count:  func([]string) int { return 0 },
}

var graniteRE = regexp.MustCompile(`(?s)(?:Here's|Here is) my thought process:(.*?)(?:Here's|Here is) my response:(.*)`)

func splitGranite(text string) (reasoning, content *string) {
	m := graniteRE.FindStringSubmatch(text)
	if m == nil {
		return nil, &text
	}
	return &m[1], filled(m[2])
}

// graniteStream waits for one sentence after the other.
type graniteStream struct {
	held            string
	thinking, ended bool
}

func (s *graniteStream) Feed(text string, _ []string) (d Delta, ok bool) {
	s.held += text
	if !s.thinking && !s.ended {
		rest, found, partial := afterAny(s.held, "Here's my thought process:", granite.Start)
		switch {
		case found:
			s.thinking, s.held = true, rest
		case !partial:
			s.ended = true // it does not think
		}
	}
	if s.thinking {
		d.Reasoning = s.thoughts()
	}
	if s.ended {
		d.Content, s.held = s.held, ""
	}
	return d, d.Reasoning != "" || d.Content != ""
}

// thoughts returns what is before the answer, or before what may be the sentence that begins it.
func (s *graniteStream) thoughts() string {
	for i := 0; i < len(s.held); i++ {
		at := strings.IndexByte(s.held[i:], 'H')
		if at < 0 {
			break
		}
		i += at
		rest, found, partial := afterAny(s.held[i:], "Here's my response:", granite.End)
		if !found && !partial {
			continue
		}
		thoughts := s.held[:i]
		s.held = s.held[i:]
		if found {
			s.held, s.thinking, s.ended = rest, false, true
		}
		return thoughts
	}
	thoughts := s.held
	s.held = ""
	return thoughts
}

func (s *graniteStream) Finish() (Delta, bool) { return Delta{}, false }
func (s *graniteStream) Ended() bool           { return s.ended }

// afterAny cuts one of several beginnings off. partial says that text may become one of them.
func afterAny(text string, beginnings ...string) (rest string, found, partial bool) {
	for _, b := range beginnings {
		if rest, found = strings.CutPrefix(text, b); found {
			return rest, true, false
		}
		partial = partial || strings.HasPrefix(b, text)
	}
	return text, false, partial
}

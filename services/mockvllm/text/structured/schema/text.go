package schema

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/structured/grammar"
)

// text is a string of a pattern or a format, else what was asked, of the right length.
func (m *maker) text(f *facts, nth int) (any, bool) {
	least, most := f.atLeast("minLength", 0), f.atMost("maxLength", maxValue)
	if least > maxValue {
		m.large = true
		return nil, false
	}
	if least > most {
		return nil, false
	}
	for _, s := range f.schemas {
		if pattern, ok := s.Get("pattern"); ok {
			return m.matching(fmt.Sprint(pattern), least, most, nth)
		}
	}
	for _, s := range f.schemas {
		name, _ := s.Value("format").(string)
		if make, ok := formats[name]; ok {
			n := nth
			if !m.src.Guide || m.try > 0 {
				n = m.src.Rand.IntN(100000)
			}
			return make(n), true
		}
	}
	return m.words(least, most, nth), true
}

// matching is a string of a pattern. Patterns are searched for, so more may stand behind one that is too short.
func (m *maker) matching(pattern string, least, most, nth int) (any, bool) {
	g, err := grammar.Regexp(pattern)
	if err != nil {
		return nil, false
	}
	src := m.src
	src.Guide = src.Guide && m.try == 0 && nth == 0
	for range 20 {
		text := g.Generate(src, most)
		n := utf8.RuneCountInString(text)
		if n < least && !strings.HasSuffix(pattern, "$") {
			text += strings.Repeat("x", least-n)
			n = least
		}
		if m.steps -= 10; least <= n && n <= most {
			return text, true
		}
		src.Guide = false
	}
	return nil, false
}

// long is how many characters or digits a random text or number has that may have any: a model that talks at random has many ways
// to go on, and one to end.
const long = 64

// words is a string that is free.
func (m *maker) words(least, most, nth int) string {
	text := lastWord(m.src.Asked)
	if nth > 0 {
		text += fmt.Sprintf(" %d", nth+1)
	}
	if !m.src.Guide {
		letters := []rune("abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789\"\\/\n\té😀<>&{}[]:,")
		random := make([]rune, min(most, least+long+m.src.Rand.IntN(long)))
		for i := range random {
			random[i] = letters[m.src.Rand.IntN(len(letters))]
		}
		text = string(random)
	}
	if n := utf8.RuneCountInString(text); n < least {
		text += strings.Repeat("x", least-n)
	} else if n > most {
		text = string([]rune(text)[:most])
	}
	return text
}

func lastWord(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return "text"
	}
	return words[len(words)-1]
}

// formats make strings that differ for different numbers.
var formats = map[string]func(n int) string{
	"date":          func(n int) string { return fmt.Sprintf("2026-%02d-%02d", n/28%12+1, n%28+1) },
	"time":          func(n int) string { return fmt.Sprintf("12:%02d:%02dZ", n/60%60, n%60) },
	"date-time":     func(n int) string { return fmt.Sprintf("2026-01-31T12:%02d:%02dZ", n/60%60, n%60) },
	"duration":      func(n int) string { return fmt.Sprintf("PT%dM", n+1) },
	"email":         func(n int) string { return fmt.Sprintf("user%d@example.com", n+1) },
	"idn-email":     func(n int) string { return fmt.Sprintf("user%d@example.com", n+1) },
	"hostname":      func(n int) string { return fmt.Sprintf("host%d.example.com", n+1) },
	"idn-hostname":  func(n int) string { return fmt.Sprintf("host%d.example.com", n+1) },
	"ipv4":          func(n int) string { return fmt.Sprintf("192.0.%d.%d", n/250%250, n%250+1) },
	"ipv6":          func(n int) string { return fmt.Sprintf("2001:db8::%x", n%0xffff+1) },
	"uri":           func(n int) string { return fmt.Sprintf("https://example.com/%d", n+1) },
	"url":           func(n int) string { return fmt.Sprintf("https://example.com/%d", n+1) },
	"iri":           func(n int) string { return fmt.Sprintf("https://example.com/%d", n+1) },
	"uri-reference": func(n int) string { return fmt.Sprintf("/%d", n+1) },
	"iri-reference": func(n int) string { return fmt.Sprintf("/%d", n+1) },
	"uri-template":  func(n int) string { return fmt.Sprintf("/items/%d/{name}", n+1) },
	"uuid":          func(n int) string { return fmt.Sprintf("123e4567-e89b-42d3-a456-%012x", n+1) },
	"json-pointer":  func(n int) string { return fmt.Sprintf("/items/%d", n+1) },
	"regex":         func(n int) string { return fmt.Sprintf("a{%d}", n%100+1) },

	"relative-json-pointer": func(n int) string { return fmt.Sprintf("%d/items", n+1) },
}

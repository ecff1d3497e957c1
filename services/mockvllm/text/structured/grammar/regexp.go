package grammar

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"
)

// Regexp is the grammar of the texts that an expression matches from beginning to end. Anchors say nothing more, as in xgrammar.
func Regexp(pattern string) (*Grammar, error) {
	tree, err := syntax.Parse(goSpelling(pattern), syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("the expression is not supported: %w", err)
	}
	start, err := fromRegexp(tree, 0)
	if err != nil {
		return nil, err
	}
	return New(start, nil)
}

func fromRegexp(t *syntax.Regexp, depth int) (*Node, error) {
	if depth > MaxNesting {
		return nil, ErrEndless
	}
	subs := make([]*Node, len(t.Sub))
	for i, s := range t.Sub {
		var err error
		if subs[i], err = fromRegexp(s, depth+1); err != nil {
			return nil, err
		}
	}
	switch t.Op {
	case syntax.OpLiteral:
		return Text(string(t.Rune)), nil
	case syntax.OpCharClass:
		return Class(t.Rune...), nil
	case syntax.OpAnyChar:
		return Class(0, unicode.MaxRune), nil
	case syntax.OpAnyCharNotNL:
		return Class(0, '\n'-1, '\n'+1, unicode.MaxRune), nil
	case syntax.OpNoMatch:
		return Class(), nil
	case syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return nil, fmt.Errorf("word boundaries are not supported")
	case syntax.OpAlternate:
		return Choice(subs...), nil
	case syntax.OpStar:
		return Repeat(subs[0], 0, -1), nil
	case syntax.OpPlus:
		return Repeat(subs[0], 1, -1), nil
	case syntax.OpQuest:
		return Repeat(subs[0], 0, 1), nil
	case syntax.OpRepeat:
		return Repeat(subs[0], t.Min, t.Max), nil
	}
	return Sequence(subs...), nil
}

// known are the letters that mean something behind a backslash, here and to Go.
const known = "adDsSwWnrtfvxpPbB"

// maxCount is how often Go repeats a part at most.
const maxCount = 1000

var counts = regexp.MustCompile(`^\{([0-9]+)(,?)([0-9]*)\}`)

// count is a count that Go takes.
func count(digits string) string {
	if n, err := strconv.Atoi(digits); digits != "" && (err != nil || n > maxCount) {
		return strconv.Itoa(maxCount)
	}
	return digits
}

// goSpelling rewrites what other dialects write otherwise.
func goSpelling(pattern string) string {
	var b strings.Builder
	class := false
	for rest := pattern; rest != ""; {
		m := counts.FindStringSubmatch(rest)
		switch {
		case class && strings.HasPrefix(rest, `\b`):
			b.WriteString(`\x08`)
			rest = rest[2:]
		case class && len(rest) > 1 && rest[0] == '\\' && strings.IndexByte("123456789", rest[1]) >= 0:
			rest = rest[1:] // the digit stands for itself
		case !class && strings.HasPrefix(rest, "[^]"):
			b.WriteString(`(?s:.)`)
			rest = rest[3:]
		case !class && m != nil:
			fmt.Fprintf(&b, "{%s%s%s}", count(m[1]), m[2], count(m[3]))
			rest = rest[len(m[0]):]
		case rest == `\`: // vLLM drops it
			rest = ""
		case rest[0] != '\\':
			class = rest[0] == '[' || class && rest[0] != ']'
			b.WriteByte(rest[0])
			rest = rest[1:]
		default:
			n := escape(&b, rest)
			rest = rest[n:]
		}
	}
	return b.String()
}

// escape writes the escape with which text begins, and returns its length.
func escape(b *strings.Builder, text string) int {
	c := text[1]
	digits := map[byte]int{'u': 4, 'x': 2}[c]
	if digits > 0 && len(text) >= 2+digits {
		if n, err := strconv.ParseUint(text[2:2+digits], 16, 32); err == nil {
			fmt.Fprintf(b, `\x{%x}`, n)
			return 2 + digits
		}
	}
	if end := strings.IndexByte(text, '}'); strings.HasPrefix(text, `\u{`) && end > 3 {
		if n, err := strconv.ParseUint(text[3:end], 16, 32); err == nil {
			fmt.Fprintf(b, `\x{%x}`, n)
			return end + 1
		}
	}
	switch {
	case c == 'c' && len(text) > 2:
		fmt.Fprintf(b, `\x{%x}`, text[2]&0x1f)
		return 3
	case c == '0':
		b.WriteString(`\x00`)
	case c >= 0x80:
		return 1 // the character stands for itself
	case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
		if strings.IndexByte(known, c) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	default:
		b.WriteString(text[:2])
	}
	return 2
}

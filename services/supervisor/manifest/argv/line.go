package argv

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/strict"
)

// Line is a command line as vLLM's parser reads it: "--name value" or "--name=value", with _ for - in the name, and the last
// one counts.
type Line []strict.Word

// Find is the value of a flag, the word after it or its own end, and tells whether the flag is there.
func (l Line) Find(flag string) (strict.Word, bool) {
	for i := len(l) - 1; i >= 0; i-- {
		name, value, joined := strings.Cut(l[i].Value, "=")
		if strings.ReplaceAll(name, "_", "-") != flag {
			continue
		}
		if joined {
			_, shown, _ := strings.Cut(l[i].Shown, "=")
			return strict.Word{Value: value, Shown: shown}, true
		}
		if i+1 < len(l) {
			return l[i+1], true
		}
		return strict.Word{}, true
	}
	return strict.Word{}, false
}

// With appends a flag.
func (l Line) With(flag, value string) Line {
	return append(l[:len(l):len(l)], Plain(flag), Plain(value))
}

// Replaced gives every occurrence of a flag a new value.
func (l Line) Replaced(flag, value string) Line {
	out := append(Line{}, l...)
	for i := range out {
		name, _, joined := strings.Cut(out[i].Value, "=")
		switch {
		case strings.ReplaceAll(name, "_", "-") != flag:
		case joined:
			out[i] = Plain(name + "=" + value)
		case i+1 < len(out):
			out[i+1] = Plain(value)
		}
	}
	return out
}

// Plain is a word that anybody may see.
func Plain(s string) strict.Word { return strict.Word{Value: s, Shown: s} }

// Values are the words themselves. They may hold secrets.
func (l Line) Values() []string {
	out := make([]string, len(l))
	for i, w := range l {
		out[i] = w.Value
	}
	return out
}

// Hidden is shown in the place of a secret.
const Hidden = "***"

// SecretFlag matches flags whose value is a secret, such as --api-key and --hf-token.
var SecretFlag = regexp.MustCompile(`(?i)^--?[a-z0-9_-]*(key|token|secret|password)$`)

// Redacted hides secrets in what people may see, and quotes what a shell would split. A ${NAME} stays as the file has it.
func (l Line) Redacted() Line {
	out := slices.Clone(l)
	for i, w := range l {
		out[i].Shown = quoted(w.Shown)
	}
	l.Secrets(func(i int, flag, _ string) { out[i].Shown = flag + Hidden })
	return out
}

// String is the line as people may see it, once it is Redacted.
func (l Line) String() string {
	words := make([]string, len(l))
	for i, w := range l {
		words[i] = w.Shown
	}
	return strings.Join(words, " ")
}

// Secrets calls found for each word that is a secret or, with flag "--name=", ends with one.
func (l Line) Secrets(found func(i int, flag, value string)) {
	after := false
	for i, w := range l {
		name, _, joined := strings.Cut(w.Shown, "=")
		switch {
		case strings.HasPrefix(w.Shown, "-") && joined:
			after = false
			if SecretFlag.MatchString(name) {
				_, value, _ := strings.Cut(w.Value, "=")
				found(i, name+"=", value)
			}
		case strings.HasPrefix(w.Shown, "-"):
			after = SecretFlag.MatchString(w.Shown)
		case after: // vLLM takes several keys after one flag
			found(i, "", w.Value)
		}
	}
}

func quoted(s string) string {
	if s == "" || strings.ContainsAny(s, " \t\n\"'`\\$;&|<>()*?") {
		return strconv.Quote(s)
	}
	return s
}

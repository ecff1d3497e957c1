package spec

import (
	"regexp"
	"strconv"
	"strings"
)

// args is a command line as vLLM's parser reads it: "--name value" or "--name=value", with _ for - in the name, and the last
// one counts.
type args []word

func (a args) find(flag string) (word, bool) {
	for i := len(a) - 1; i >= 0; i-- {
		name, value, joined := strings.Cut(a[i].value, "=")
		if strings.ReplaceAll(name, "_", "-") != flag {
			continue
		}
		if joined {
			_, shown, _ := strings.Cut(a[i].shown, "=")
			return word{value, shown}, true
		}
		if i+1 < len(a) {
			return a[i+1], true
		}
		return word{}, true
	}
	return word{}, false
}

// with appends a flag.
func (a args) with(flag, value string) args {
	return append(a[:len(a):len(a)], plain(flag), plain(value))
}

// replaced gives every occurrence of a flag a new value.
func (a args) replaced(flag, value string) args {
	out := append(args{}, a...)
	for i := range out {
		name, _, joined := strings.Cut(out[i].value, "=")
		switch {
		case strings.ReplaceAll(name, "_", "-") != flag:
		case joined:
			out[i] = plain(name + "=" + value)
		case i+1 < len(out):
			out[i+1] = plain(value)
		}
	}
	return out
}

func plain(s string) word { return word{s, s} }

func (a args) values() []string {
	out := make([]string, len(a))
	for i, w := range a {
		out[i] = w.value
	}
	return out
}

// secretFlag matches flags whose value is a secret, such as --api-key and --hf-token.
var secretFlag = regexp.MustCompile(`(?i)^--?[a-z0-9_-]*(key|token|secret|password)$`)

// shown hides secrets and quotes what a shell would split. A ${NAME} stays as the file has it.
func (a args) shown() []string {
	out := make([]string, len(a))
	secret := false
	for i, w := range a {
		name, _, joined := strings.Cut(w.shown, "=")
		switch {
		case strings.HasPrefix(w.shown, "-") && joined && secretFlag.MatchString(name):
			out[i], secret = name+"="+hidden, false
		case strings.HasPrefix(w.shown, "-"):
			out[i], secret = quoted(w.shown), secretFlag.MatchString(w.shown)
		case secret: // vLLM takes several keys after one flag
			out[i] = hidden
		default:
			out[i] = quoted(w.shown)
		}
	}
	return out
}

func quoted(s string) string {
	if s == "" || strings.ContainsAny(s, " \t\n\"'`\\$;&|<>()*?") {
		return strconv.Quote(s)
	}
	return s
}

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

var secretVariable = regexp.MustCompile(`(?i)(key|token|secret|password|passwd|credentials?)$`)

// SecretVariable tells whether the value of an environment variable is a secret, by the variable's name.
func SecretVariable(name string) bool { return secretVariable.MatchString(name) }

// shown hides secrets and quotes what a shell would split. A ${NAME} stays as the file has it.
func (a args) shown() []string {
	out := make([]string, len(a))
	for i, w := range a {
		out[i] = quoted(w.shown)
	}
	a.secrets(func(i int, flag, _ string) { out[i] = flag + hidden })
	return out
}

// secrets calls found for each word that is a secret or, with flag "--name=", ends with one.
func (a args) secrets(found func(i int, flag, value string)) {
	after := false
	for i, w := range a {
		name, _, joined := strings.Cut(w.shown, "=")
		switch {
		case strings.HasPrefix(w.shown, "-") && joined:
			after = false
			if secretFlag.MatchString(name) {
				_, value, _ := strings.Cut(w.value, "=")
				found(i, name+"=", value)
			}
		case strings.HasPrefix(w.shown, "-"):
			after = secretFlag.MatchString(w.shown)
		case after: // vLLM takes several keys after one flag
			found(i, "", w.value)
		}
	}
}

func quoted(s string) string {
	if s == "" || strings.ContainsAny(s, " \t\n\"'`\\$;&|<>()*?") {
		return strconv.Quote(s)
	}
	return s
}

package redact

import (
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/secret"
)

// hidden stands for a secret.
const hidden = "***"

// leastSecret is how long a secret has to be: shorter ones would be found everywhere.
const leastSecret = 4

// words are values of variables whose names look like secrets, such as HF_HUB_DISABLE_IMPLICIT_TOKEN.
var words = []string{"true", "false", "none", "null"}

var (
	// told is how vLLM tells the flags that it was given ("non-default args"). A shell script may have given some that nobody knows here.
	told = regexp.MustCompile(`('(?:api_key|hf_token)': )(\[[^\]]*\]|'[^']*'|"[^"]*")`)
	// userInfo is that of a URL.
	userInfo = regexp.MustCompile(`(://[^/\s:@]*:)[^/\s@]+@`)
	// hubToken is what Hugging Face's tokens look like.
	hubToken = regexp.MustCompile(`\bhf_[A-Za-z0-9]{16,}`)
)

// Redactor hides known secrets.
type Redactor struct {
	secrets  []string // with other ways to write them, the longest first
	replacer *strings.Replacer
}

// New hides these, and what looks like a secret whoever knows it. Those of fewer than four bytes are not hidden.
func New(secrets []string) *Redactor {
	var all []string
	for _, s := range secrets {
		for line := range strings.Lines(s) { // a key in PEM is printed line by line
			line = strings.TrimRight(line, "\r\n")
			all = append(all, line, url.QueryEscape(line), inJSON(line))
		}
	}
	all = slices.DeleteFunc(all, func(s string) bool { return len(s) < leastSecret || slices.Contains(words, strings.ToLower(s)) })
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	r := &Redactor{secrets: slices.Compact(all)}
	pairs := make([]string, 0, 2*len(r.secrets))
	for _, s := range r.secrets {
		pairs = append(pairs, s, hidden)
	}
	r.replacer = strings.NewReplacer(pairs...) // of several that begin alike it takes the first
	return r
}

func inJSON(s string) string {
	quoted, _ := json.Marshal(s) // cannot fail for a string
	return string(quoted[1 : len(quoted)-1])
}

// Hide returns a whole line without secrets.
func (r *Redactor) Hide(text string) string {
	if len(r.secrets) > 0 {
		text = r.replacer.Replace(text)
	}
	if strings.Contains(text, "'api_key'") || strings.Contains(text, "'hf_token'") {
		text = told.ReplaceAllString(text, "${1}'"+hidden+"'")
	}
	if strings.Contains(text, "://") && strings.Contains(text, "@") {
		text = userInfo.ReplaceAllString(text, "${1}"+hidden+"@")
	}
	if strings.Contains(text, "hf_") {
		text = hubToken.ReplaceAllString(text, hidden)
	}
	return secret.Mask(text)
}

// HideOpen does that for a line whose end is missing, and takes away what may be the beginning of a secret.
func (r *Redactor) HideOpen(text string) string {
	text = r.Hide(text)
	end := len(text)
	for _, s := range r.secrets {
		for n := min(len(s)-1, len(text)); n > len(text)-end; n-- {
			if strings.HasSuffix(text, s[:n]) {
				end = len(text) - n
			}
		}
	}
	return text[:end]
}

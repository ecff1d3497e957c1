// Package secret finds API keys where none should be: clients send them as a model's name, in a path or as the id of a request, and
// all of these are logged or quoted. It knows them by their form, and by what a request itself brings as its key.
package secret

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Prefix begins each API key that FluidMCP makes. Scanners for leaked secrets go by it.
const Prefix = "fmcp_"

// prefixes begin keys that are known by their form: FluidMCP's, those of OpenAI and Anthropic, and those of Hugging Face.
var prefixes = [...]string{Prefix, "sk-", "hf_"}

// key finds ours also where they were cut to 20 bytes. Those of others have to be long: their forms leave room for names.
var key = regexp.MustCompile(Prefix + `[0-9a-f]{12,}|\bsk-[A-Za-z0-9_-]{32,}|\bhf_[A-Za-z0-9]{30,}`)

const (
	mask = "(a secret)"
	// least is how long a key has to be that is hidden. Shorter ones, such as EMPTY, are made up by people whose server asks for none.
	least = 8
	// enough of a key tells it where a message has cut it.
	enough = 16
)

// In tells whether text has an API key in it.
func In(text string) bool { return hasPrefix(text) && key.MatchString(text) }

// Mask returns text with "(a secret)" in place of each API key.
func Mask(text string) string {
	if !hasPrefix(text) { // nearly always
		return text
	}
	return key.ReplaceAllString(text, mask)
}

func hasPrefix(text string) bool {
	if strings.IndexByte(text, '_') < 0 && strings.IndexByte(text, '-') < 0 { // each has one of them
		return false
	}
	for _, prefix := range prefixes {
		if strings.Contains(text, prefix) {
			return true
		}
	}
	return false
}

// Headers are where clients send keys.
var Headers = [...]string{"Authorization", "Proxy-Authorization", "X-Api-Key", "Api-Key"}

// MaskOf is Mask for what is told of a request. What the request brings as its own key, in a header or in its query, is masked as
// well, whatever its form.
func MaskOf(r *http.Request, text string) string {
	text = Mask(text)
	for _, name := range Headers {
		for _, value := range r.Header[name] {
			text = hideAll(text, value)
		}
	}
	if r.URL.RawQuery == "" {
		return text
	}
	for name, values := range r.URL.Query() {
		if !inQuery(name) {
			continue
		}
		for _, value := range values {
			text = hide(hide(text, value), strings.ReplaceAll(value, " ", "+")) // a plus that nobody has escaped
		}
	}
	return text
}

// hideAll masks what a header brings: a scheme and a key, a key alone, or several.
func hideAll(text, value string) string {
	rest := value[strings.IndexByte(value, ' ')+1:]
	if strings.IndexByte(rest, ' ') < 0 && strings.IndexByte(rest, ',') < 0 && strings.IndexByte(rest, '\t') < 0 { // nearly always
		return hide(text, rest)
	}
	for part := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' }) {
		text = hide(text, part)
	}
	return text
}

// hide masks a secret, also where only its beginning is left.
func hide(text, secret string) string {
	if len(secret) < least {
		return text
	}
	start := secret[:min(len(secret), enough)]
	if !strings.Contains(text, start) { // nearly always
		return text
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, start)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		out.WriteString(mask)
		for i := len(start); i < len(secret) && rest != "" && rest[0] == secret[i]; i++ {
			rest = rest[1:]
		}
		text = rest
	}
}

// inQuery tells the parameters in which some clients send their key.
func inQuery(name string) bool {
	switch strings.ToLower(name) {
	case "api_key", "api-key", "apikey", "access_token", "key":
		return true
	}
	return false
}

// WithoutKeys returns a query, as it stands in a URL, without the parameters that hold a key.
func WithoutKeys(query string) string {
	if query == "" { // nearly always
		return query
	}
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil && inQuery(plain) {
			continue
		}
		kept = append(kept, pair)
	}
	return strings.Join(kept, "&")
}

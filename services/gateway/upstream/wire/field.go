package wire

import (
	"net/http"
	"strings"
)

// token has the bytes of which the names of fields and methods consist (RFC 9110, 5.6.2).
var token = func() (t [256]bool) {
	for c := range 128 {
		t[c] = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("!#$%&'*+-.^_`|~", byte(c)) >= 0
	}
	return t
}()

func validToken(s string) bool {
	for i := range len(s) {
		if !token[s[i]] {
			return false
		}
	}
	return s != ""
}

// validValue refuses NUL, CR, LF and the other control characters except the tab (RFC 9110, 5.5).
func validValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// usual are the canonical forms of the names that model servers send in lower case.
var usual = func() map[string]string {
	m := make(map[string]string)
	for _, name := range []string{"Content-Type", "Content-Length", "Transfer-Encoding", "Date", "Server", "Connection", "Keep-Alive",
		"Cache-Control", "X-Request-Id", "X-Accel-Buffering", "Access-Control-Allow-Origin", "Vary", "Retry-After"} {
		m[strings.ToLower(name)] = name
	}
	return m
}()

// canonical is the canonical form of a field name, "" for one that is none.
func canonical(name string) string {
	is, upper := true, true
	for i := range len(name) {
		c := name[i]
		if !token[c] {
			return ""
		}
		if upper && 'a' <= c && c <= 'z' || !upper && 'A' <= c && c <= 'Z' {
			is = false
		}
		upper = c == '-'
	}
	if is {
		return name
	}
	if known, ok := usual[name]; ok {
		return known
	}
	return http.CanonicalHeaderKey(name)
}

// parseFields reads lines of fields, each with its end. Names and values are parts of text: one allocation holds all.
func parseFields(text string) (http.Header, error) {
	n := strings.Count(text, "\n")
	fields, values := make(http.Header, min(n, 32)), make([]string, n)
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		line = strings.TrimSuffix(line, "\r")
		if line != "" && (line[0] == ' ' || line[0] == '\t') {
			return nil, malformed("the header line %.40q is folded", line)
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" {
			return nil, malformed("the header line %.40q has no name", line)
		}
		key := canonical(name)
		if key == "" {
			return nil, malformed("the header name %.40q has characters that none may have", name)
		}
		if value = strings.Trim(value, " \t"); !validValue(value) {
			return nil, malformed("the header %s has control characters", key)
		}
		if have, ok := fields[key]; ok {
			fields[key] = append(have, value)
			continue
		}
		values[0] = value
		fields[key], values = values[:1:1], values[1:]
	}
	return fields, nil
}

// hasToken tells whether a list of tokens has one.
func hasToken(values []string, token string) bool {
	for _, list := range values {
		for item := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.Trim(item, " \t"), token) {
				return true
			}
		}
	}
	return false
}

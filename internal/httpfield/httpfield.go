package httpfield

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

// IsToken tells the name of a field or method.
func IsToken(s string) bool {
	for i := range len(s) {
		if !token[s[i]] {
			return false
		}
	}
	return s != ""
}

// Each byte of a word.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// IsValue tells what can be a field's value: no NUL, CR, LF or other control character but the tab (RFC 9110, 5.5).
func IsValue(s string) bool {
	for ; len(s) >= 8; s = s[8:] {
		word := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56 // one load
		del := word ^ 0x7f*ones
		if ((word-' '*ones)&^word|(del-ones)&^del)&highs != 0 && !isValue(s[:8]) { // it may be a tab
			return false
		}
	}
	return isValue(s)
}

func isValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// Trim cuts the blanks and tabs around a value (RFC 9110, 5.6.3), at less cost than strings.Trim, which makes a set of them each time.
func Trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// First is h.Get for a name that is known to be canonical, and does not look whether it is.
func First(h http.Header, canonical string) string {
	if values := h[canonical]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// usual are the canonical forms of the names that are sent in lower case.
var usual = func() map[string]string {
	m := make(map[string]string)
	for _, name := range []string{"Content-Type", "Content-Length", "Transfer-Encoding", "Date", "Server", "Connection", "Keep-Alive",
		"Cache-Control", "X-Request-Id", "X-Accel-Buffering", "Access-Control-Allow-Origin", "Vary", "Retry-After",
		"Host", "User-Agent", "Accept", "Accept-Encoding", "Authorization"} {
		m[strings.ToLower(name)] = name
	}
	return m
}()

// Canonical is the canonical form of a field's name, "" for one that is none.
func Canonical(name string) string {
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

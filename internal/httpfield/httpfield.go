package httpfield

import (
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/octets"
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
	if usual(s) != "" {
		return true
	}
	for i := range len(s) {
		if !token[s[i]] {
			return false
		}
	}
	return s != ""
}

// IsValue tells what can be a field's value: no NUL, CR, LF or other control character but the tab (RFC 9110, 5.5).
func IsValue(s string) bool {
	for ; len(s) >= 8; s = s[8:] {
		word := octets.Word(s)
		del := word ^ 0x7f*octets.Each
		if ((word-' '*octets.Each)&^word|(del-octets.Each)&^del)&octets.High != 0 && !isValue(s[:8]) { // it may be a tab
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

// usual is the canonical form of a name that is sent often, in that form or in lower case, and "" for any other.
func usual(name string) string {
	switch name {
	case "Host", "Accept", "Accept-Encoding", "Authorization", "Connection", "Content-Length", "Content-Type", "Date", "Server", "User-Agent",
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id":
		return name
	case "content-length":
		return "Content-Length"
	case "content-type":
		return "Content-Type"
	case "transfer-encoding":
		return "Transfer-Encoding"
	case "date":
		return "Date"
	case "server":
		return "Server"
	case "connection":
		return "Connection"
	case "cache-control":
		return "Cache-Control"
	case "x-accel-buffering":
		return "X-Accel-Buffering"
	case "x-request-id":
		return "X-Request-Id"
	case "host":
		return "Host"
	case "user-agent":
		return "User-Agent"
	case "accept":
		return "Accept"
	case "accept-encoding":
		return "Accept-Encoding"
	case "authorization":
		return "Authorization"
	}
	return ""
}

// Canonical is the canonical form of a field's name, "" for one that is none.
func Canonical(name string) string {
	if known := usual(name); known != "" {
		return known
	}
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
	return http.CanonicalHeaderKey(name)
}

package head

import (
	"net/http"
	"net/url"
	"strings"
)

// What a byte is in a request's target.
const (
	noByte    byte = iota
	otherByte      // it may have a meaning
	plainByte      // it means itself
)

var inTarget = func() (t [256]byte) {
	for c := byte('!'); c < 0x7f; c++ {
		t[c] = otherByte
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '-' && c <= '9' || c == '_' { // - . / and digits
			t[c] = plainByte
		}
	}
	return t
}()

// parseTarget takes the forms of RFC 9112, section 3.2, but for that of CONNECT. It reports false for what is none of them.
func parseTarget(to *url.URL, method, target string) bool {
	least := plainByte
	for i := range len(target) {
		least = min(least, inTarget[target[i]])
	}
	switch {
	case least == noByte:
		return false
	case target == "*" && method == http.MethodOptions:
		to.Path = "*"
		return true
	case strings.HasPrefix(target, "/") && least == plainByte && !strings.HasPrefix(target, "//"):
		to.Path = target // nothing in it is escaped or has a meaning
		return true
	}
	u, err := url.ParseRequestURI(target)
	if err != nil || target[0] != '/' && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return false
	}
	*to = *u
	return true
}

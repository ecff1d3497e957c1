package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
)

// mostHeader bounds what is kept of one header, in bytes.
const mostHeader = 2048

// secrets are the fields whose values are not kept.
var secrets = []string{"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key"}

// pack copies a header into one string, a line for each value, so that 10,000 of them are not 100,000 objects.
func pack(h http.Header) string {
	var room [mostHeader / 4]byte
	b := room[:0]
	for name, values := range h {
		secret := slices.Contains(secrets, name)
		for _, v := range values {
			if secret {
				v = "(not kept)"
			}
			if len(b)+len(name)+len(v)+2 > mostHeader {
				continue
			}
			b = append(append(append(append(b, name...), ':'), v...), '\n')
		}
	}
	return string(b)
}

// unpack is the way back. No value has a line break, see RFC 9110, section 5.5.
func unpack(packed string) map[string][]string {
	h := map[string][]string{}
	for line := range strings.Lines(packed) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		h[name] = append(h[name], value)
	}
	return h
}

// keyDigits is how much is shown of the hash of a key: enough to tell keys apart.
const keyDigits = 12

// keyOf is the beginning of the SHA-256 of a bearer token, "" without one.
func keyOf(h http.Header) string {
	given := h["Authorization"]
	if len(given) == 0 {
		return ""
	}
	scheme, key, ok := strings.Cut(given[0], " ")
	if !ok || !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])[:keyDigits]
}

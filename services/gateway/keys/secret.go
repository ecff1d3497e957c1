package keys

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/secret"
)

// hashPrefix names the hash in the file, so that another one can come beside it.
const hashPrefix = "sha256:"

// New makes a secret of 256 random bits, and its hash as the file has it. Nothing gives the secret again. It has no checksum:
// the gateway looks up whatever it is given, and scanners for leaked secrets go by the prefix and the length.
func New() (text, hash string) {
	var random [32]byte
	_, _ = rand.Read(random[:]) // it never fails
	text = secret.Prefix + hex.EncodeToString(random[:])
	return text, Hash(text)
}

// Hash is what the file has of a secret.
func Hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hashPrefix + hex.EncodeToString(sum[:])
}

// parseHash reads what Hash returns.
func parseHash(text string) (d digest, ok bool) {
	digits, ok := strings.CutPrefix(text, hashPrefix)
	if !ok || len(digits) != hex.EncodedLen(len(d)) {
		return d, false
	}
	_, err := hex.Decode(d[:], []byte(digits))
	return d, err == nil
}

// FromHeader returns the secret that a request carries, or "": as Authorization: Bearer (OpenAI's clients, RFC 6750), as
// x-api-key (Anthropic's) or as api-key (Azure's). The first of these that is there counts.
func FromHeader(h http.Header) string {
	for _, value := range h["Authorization"] {
		scheme, secret, _ := strings.Cut(value, " ")
		if strings.EqualFold(scheme, "Bearer") {
			if secret = strings.TrimSpace(secret); secret != "" {
				return secret
			}
		}
	}
	for _, name := range [...]string{"X-Api-Key", "Api-Key"} {
		for _, value := range h[name] {
			if value != "" {
				return value
			}
		}
	}
	return ""
}

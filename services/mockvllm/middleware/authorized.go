package middleware

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/config"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
)

// guarded are the beginnings of paths that need a key, by their characters: /v1x needs one too.
var guarded = []string{"/v1", "/v2", "/inference", "/cohere"}

// Authorized refuses requests without a key, before their body is read.
func Authorized(cfg config.Config, next http.Handler) http.Handler {
	var keys [][sha256.Size]byte
	for _, k := range cfg.APIKeys {
		keys = append(keys, sha256.Sum256([]byte(k)))
	}
	if keys == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if needsKey(r, cfg.HTTP.RootPath) && !matches(r.Header.Get("Authorization"), keys) {
			fastapi.Reply(w, http.StatusUnauthorized, []byte(`{"error":"Unauthorized"}`))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func needsKey(r *http.Request, root string) bool {
	if r.Method == http.MethodOptions {
		return false
	}
	path := strings.TrimPrefix(r.URL.Path, root)
	for _, prefix := range guarded {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

func matches(header string, keys [][sha256.Size]byte) bool {
	scheme, given, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "bearer") {
		return false
	}
	sum := sha256.Sum256([]byte(given))
	match := 0
	for _, k := range keys {
		match |= subtle.ConstantTimeCompare(sum[:], k[:])
	}
	return match == 1
}

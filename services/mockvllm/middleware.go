package mockvllm

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// logged writes the access line of every request, as long as the log is on.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(rec, r)
		if s.cfg.AccessLog && !slices.Contains(s.cfg.HTTP.QuietPaths, r.URL.Path) {
			s.console.Access(r, rec.status)
		}
	})
}

// recorder notes the status on its way out.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// guarded are the beginnings of paths that need a key, by their characters: /v1x needs one too.
var guarded = []string{"/v1", "/v2", "/inference", "/cohere"}

// authorized refuses requests without a key, before their body is read.
func (s *Server) authorized(next http.Handler) http.Handler {
	var keys [][sha256.Size]byte
	for _, k := range s.cfg.APIKeys {
		keys = append(keys, sha256.Sum256([]byte(k)))
	}
	if keys == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if needsKey(r, s.cfg.HTTP.RootPath) && !matches(r.Header.Get("Authorization"), keys) {
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

// identified gives every answer the request's id, or a new one.
func (s *Server) identified(next http.Handler) http.Handler {
	if !s.cfg.HTTP.RequestIDs {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := protocol.NewID() + protocol.NewID()
		if given, ok := r.Header["X-Request-Id"]; ok {
			id = given[0]
		}
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r)
	})
}

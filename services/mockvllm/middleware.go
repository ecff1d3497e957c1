package mockvllm

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strconv"
	"strings"
)

// logged writes the access line of every request, as long as the log is on, and names the server.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		w.Header().Set("Server", "uvicorn")
		next.ServeHTTP(rec, r)
		if s.cfg.AccessLog {
			s.console.access(r, rec.status)
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
		if needsKey(r) && !matches(r.Header.Get("Authorization"), keys) {
			reply(w, http.StatusUnauthorized, []byte(`{"error":"Unauthorized"}`))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func needsKey(r *http.Request) bool {
	if r.Method == http.MethodOptions {
		return false
	}
	for _, prefix := range guarded {
		if strings.HasPrefix(r.URL.Path, prefix) {
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

// crossOrigin does what vLLM does while no origin is allowed: requests pass, preflights are refused.
func crossOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		method := r.Header.Get("Access-Control-Request-Method")
		if r.Method != http.MethodOptions || r.Header.Get("Origin") == "" || method == "" {
			h.Set("Vary", "Origin")
			next.ServeHTTP(w, r)
			return
		}
		const methods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY"
		refused := "Disallowed CORS origin"
		if !strings.Contains(methods, method) {
			refused += ", method"
		}
		if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
			refused += ", private-network"
		}
		h.Set("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network")
		h.Set("Access-Control-Allow-Methods", methods)
		h.Set("Access-Control-Max-Age", "600")
		if wanted := r.Header.Get("Access-Control-Request-Headers"); wanted != "" {
			h.Set("Access-Control-Allow-Headers", wanted)
		}
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Content-Length", strconv.Itoa(len(refused)))
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(refused))
	})
}

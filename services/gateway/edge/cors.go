package edge

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/rs/cors"
)

// exposed are the headers of an answer that a page may read, besides those that the Fetch standard always lets it.
var exposed = []string{"X-Request-Id", "Retry-After", "X-Should-Retry", "X-Fluidmcp-Model",
	"X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests",
	"X-Ratelimit-Limit-Tokens", "X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens"}

// CheckOrigins reports every fault in a list for CORS.
func CheckOrigins(origins []string) error {
	var faults []error
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if origin != "*" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || origin != u.Scheme+"://"+u.Host) {
			faults = append(faults, fmt.Errorf("origin %q: use https://app.example.com without a path, or *", origin))
		}
	}
	return errors.Join(faults...)
}

// CORS lets pages of the origins call next and read its answers; without origins none may. Preflights are answered here: they
// carry no key. Cookies are never asked for, a page sends its key by itself.
func CORS(origins []string, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodDelete},
		AllowedHeaders: []string{"*"}, // SDKs add headers of their own, and * does not cover Authorization in browsers: it is echoed
		ExposedHeaders: exposed,
		MaxAge:         600,
	}).Handler(next)
}

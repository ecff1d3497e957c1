package starlette

import (
	"context"
	"net/http"
	"strings"
)

// withRoot is the key of a request's path as it was before the root path was taken off.
type withRoot struct{}

// Rooted takes the root path off, for those inside. A path without it is served too, as vLLM does.
func Rooted(root string, next http.Handler) http.Handler {
	if root == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutPrefix(r.URL.Path, root)
		if ok && (path == "" || path[0] == '/') {
			bare := *r.URL
			bare.Path, bare.RawPath = path, ""
			r = r.WithContext(context.WithValue(r.Context(), withRoot{}, root))
			r.URL = &bare
		}
		next.ServeHTTP(w, r)
	})
}

// originalPath is a path inside as the client has to ask for it.
func originalPath(r *http.Request, path string) string {
	root, _ := r.Context().Value(withRoot{}).(string)
	return root + path
}

package web

import (
	"io"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/httpfield"
)

// MediaType is that of a message's body, in lower case and without parameters; "" when the header does not tell.
func MediaType(h http.Header) string {
	text := httpfield.First(h, "Content-Type")
	if text == "application/json" { // nearly always
		return text
	}
	media, _, _ := strings.Cut(text, ";") // whatever is wrong with the parameters
	return strings.ToLower(strings.TrimSpace(media))
}

// LimitBody reads at most limit bytes of the request's body; more is a *http.MaxBytesError. Where w is wrapped,
// http.MaxBytesReader cannot tell the server that the limit was hit. The server would then close the connection at once,
// and a client that still sends would find a reset connection where the answer should be.
func LimitBody(w http.ResponseWriter, r *http.Request, limit int64) io.ReadCloser {
	for {
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return http.MaxBytesReader(w, r.Body, limit)
		}
		w = wrapper.Unwrap()
	}
}

package web

import (
	"net/http"

	"github.com/fluidmcp/fluidmcp/internal/openai"
)

// SameOrigin refuses what a page of another origin makes its visitor's browser send, other than reading: such a page could
// otherwise stop the models of the visitor's machine. Programs that are no browser pass.
func SameOrigin(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(Handler(func(http.ResponseWriter, *http.Request) error {
		return &openai.Error{Status: http.StatusForbidden, Type: openai.TypeInvalidRequest, Code: "cross_origin",
			Message: "A page of another origin may not do this. Open the page from this server, or call it from a program."}
	}))
	return guard.Handler(next)
}

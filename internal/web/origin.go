package web

import (
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/fluidmcp/fluidmcp/internal/openai"
)

var crossOrigin = http.NewCrossOriginProtection()

// CrossOrigin refuses what a page of another origin makes its visitor's browser send, other than reading: such a page could
// otherwise stop the models of the visitor's machine. Programs that are no browser pass.
func CrossOrigin(r *http.Request) error {
	if crossOrigin.Check(r) == nil {
		return nil
	}
	return &openai.Error{Status: http.StatusForbidden, Type: openai.TypeInvalidRequest, Code: "cross_origin",
		Message: "A page of another origin may not do this. Open the page from this server, or call it from a program."}
}

// SameOrigin is CrossOrigin for all that next serves.
func SameOrigin(next http.Handler) http.Handler {
	return Handler(func(w http.ResponseWriter, r *http.Request) error {
		if err := CrossOrigin(r); err != nil {
			return err
		}
		next.ServeHTTP(w, r)
		return nil
	})
}

// OwnHost refuses a request for another host than this machine. A server on a loopback address that asks for no key trusts who reaches
// it; a page does when the name of its own site is made to lead to 127.0.0.1 (DNS rebinding), and its browser then takes both for one
// origin, but the host of the request is that name. Addresses cannot be made to lead elsewhere.
func OwnHost(r *http.Request) error {
	host := r.Host // url.URL.Hostname would take "[::1].evil.example" for ::1
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host) != nil {
		return nil
	}
	return &openai.Error{Status: http.StatusForbidden, Type: openai.TypeInvalidRequest, Code: "cross_origin",
		Message: fmt.Sprintf("This server asks for no key, so it answers its own machine alone, and not as %q. Call it as localhost, or give it keys.", host)}
}

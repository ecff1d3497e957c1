package gateway_test

import (
	"testing"

	"github.com/fluidmcp/fluidmcp/services/gateway"
)

// TestOtherOrigins: pages of which origins may ask is the gateway's to say, whatever a model server lets them. vLLM answers preflights,
// and says * where it is started so; other servers do that unasked.
func TestOtherOrigins(t *testing.T) {
	b := newBackend(t, func(c *exchange) {
		c.plain(200, chatAnswer, "Access-Control-Allow-Origin: *", "access-control-allow-credentials: true")
	})
	const app, evil = "https://app.example.com", "https://evil.example"
	for _, origins := range [][]string{nil, {app}} {
		f := start(t, func(c *gateway.Config) { c.CORSOrigins = origins }, model("m", b.URL))
		for _, origin := range []string{app, evil} {
			want := ""
			if origins != nil && origin == app {
				want = app
			}
			for _, a := range []answer{
				f.do("POST", "/llm/m/v1/chat/completions", hello, "Origin", origin),
				f.do("OPTIONS", "/llm/m/v1/chat/completions", "", "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type"),
			} {
				if got := a.header.Get("Access-Control-Allow-Origin"); got != want || a.header.Get("Access-Control-Allow-Credentials") != "" {
					t.Errorf("with %v, to %s: allowed %q, want %q: %d %v", origins, origin, got, want, a.status, a.header)
				}
			}
		}
		for _, r := range b.requests() {
			if r.Header["Origin"] != nil || r.Header["Access-Control-Request-Method"] != nil {
				t.Errorf("the server was asked for another origin: %v", r.Header)
			}
		}
	}
}

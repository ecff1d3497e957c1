package edge_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fluidmcp/fluidmcp/services/gateway/edge"
)

// locked is a handler that asks for a key.
func locked(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") == "" {
		w.WriteHeader(http.StatusUnauthorized)
	}
}

func TestCORS(t *testing.T) {
	const app = "https://app.example.com"
	f := func(name string, origins []string, method, origin string, status int, allowed string) {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(edge.CORS(origins, http.HandlerFunc(locked)))
			defer server.Close()
			req, err := http.NewRequestWithContext(t.Context(), method, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Origin", origin)
			if method == http.MethodOptions {
				req.Header.Set("Access-Control-Request-Method", "POST")
				req.Header.Set("Access-Control-Request-Headers", "authorization,content-type,x-stainless-os")
			}
			resp, err := server.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got := resp.Header.Get("Access-Control-Allow-Origin"); resp.StatusCode != status || got != allowed {
				t.Errorf("%s, allowed %q; want %d, %q", resp.Status, got, status, allowed)
			}
			if allowed == "" {
				return
			}
			if got := resp.Header.Get("Access-Control-Expose-Headers"); method == http.MethodPost && !strings.Contains(got, "X-Ratelimit-Reset-Tokens") {
				t.Errorf("exposes %q", got)
			}
			if got := resp.Header.Get("Access-Control-Allow-Headers"); method == http.MethodOptions && got != "authorization,content-type,x-stainless-os" {
				t.Errorf("allows the headers %q", got)
			}
			if resp.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Error("cookies are asked for")
			}
		})
	}
	f("preflight", []string{app}, http.MethodOptions, app, http.StatusNoContent, app)
	f("request", []string{app}, http.MethodPost, app, http.StatusUnauthorized, app)
	f("preflight of another", []string{app}, http.MethodOptions, "https://evil.example", http.StatusNoContent, "")
	f("request of another", []string{app}, http.MethodPost, "https://evil.example", http.StatusUnauthorized, "")
	f("an origin that only begins so", []string{app}, http.MethodPost, app+".evil.example", http.StatusUnauthorized, "")
	f("any", []string{"*"}, http.MethodOptions, app, http.StatusNoContent, "*")
	f("subdomains", []string{"https://*.example.com"}, http.MethodOptions, app, http.StatusNoContent, app)
	f("none", nil, http.MethodOptions, app, http.StatusUnauthorized, "")
}

func TestCheckOrigins(t *testing.T) {
	if err := edge.CheckOrigins([]string{"*", "http://localhost:3000", "https://*.example.com"}); err != nil {
		t.Error(err)
	}
	wrong := []string{"app.example.com", "https://app.example.com/", "https://app.example.com/x", "ftp://x", "", "null"}
	if err := edge.CheckOrigins(wrong); err == nil || strings.Count(err.Error(), "\n") != len(wrong)-1 {
		t.Errorf("faults: %v", err)
	}
}

package web

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/clip"
	"github.com/fluidmcp/fluidmcp/internal/openai"
)

// JSON sends v with the given status.
func JSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode response: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(body, '\n'))
	return err
}

// Ready answers 200 once check returns nil and 503 with its reason before that.
func Ready(check func() error) Handler {
	return func(w http.ResponseWriter, _ *http.Request) error {
		if err := check(); err != nil {
			return &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, Code: "not_ready",
				Message: err.Error(), RetryAfter: time.Second}
		}
		return JSON(w, http.StatusOK, map[string]string{"status": "ready"})
	}
}

// NotFound answers any unknown path in the OpenAI envelope.
func NotFound(_ http.ResponseWriter, r *http.Request) error {
	return &openai.Error{Status: http.StatusNotFound, Type: openai.TypeNotFound, Code: "path_not_found",
		Message: fmt.Sprintf("No route for %s %s.", clip.Text(r.Method, 32), clip.Text(r.URL.Path, 256))}
}

// MethodNotAllowed answers a known path asked in the wrong way. The caller sets the Allow header (RFC 9110, 15.5.6).
func MethodNotAllowed(_ http.ResponseWriter, r *http.Request) error {
	return &openai.Error{Status: http.StatusMethodNotAllowed, Type: openai.TypeInvalidRequest, Code: "method_not_allowed",
		Message: fmt.Sprintf("%s is not allowed on %s.", clip.Text(r.Method, 32), clip.Text(r.URL.Path, 256))}
}

// Probe asks url once and returns an error unless the answer is 2xx. It is the health check of containers that have
// no shell and no curl. It asks the server beside it, whose certificate is for the name by which others know it; so that is
// not verified.
func Probe(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("probe %s: %w", url, err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true} //nolint:gosec // see above
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return err // names method and URL already
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("probe %s: %s", url, resp.Status)
	}
	return nil
}

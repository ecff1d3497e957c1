package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
)

// Gateway is where the management commands find a running FluidMCP.
type Gateway struct{ base string }

// AddFlag gives a command the flag --url, and tells in its help how the gateway is asked.
func (g *Gateway) AddFlag(cmd *cobra.Command) {
	cli.URL(cmd, &g.base, "gateway to talk to")
	cmd.Long = cmp.Or(cmd.Long, cmd.Short+".") + "\n\n" + keyed
}

// keyed ends the help of commands that talk to a gateway.
const keyed = `Where the gateway has a file of API keys, the environment variable FLUIDMCP_API_KEY has to hold one with the scope admin. It is no
flag because others can read command lines. SSL_CERT_FILE names a certificate to trust, such as the gateway's own.`

// patience is how long an answer may take. A supervisor whose engine of containers hangs takes half a minute for some.
const patience = time.Minute

// Call sends one management request and returns the body of its answer.
func (g *Gateway) Call(ctx context.Context, method, path string) ([]byte, error) {
	return g.Send(ctx, method, path, nil)
}

// Send is Call with a body for the request.
func (g *Gateway) Send(ctx context.Context, method, path string, text []byte) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body, err := g.send(limited, method, path, text)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("%s has not answered within %s: it hangs, or something between does; its log may say more", g.base, patience)
	}
	return body, err
}

func (g *Gateway) send(ctx context.Context, method, path string, text []byte) ([]byte, error) {
	resp, err := g.Open(ctx, method, path, nil, text)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// Open sends one management request and leaves the body of its answer, which is no failure, to the caller.
func (g *Gateway) Open(ctx context.Context, method, path string, header http.Header, text []byte) (*http.Response, error) {
	base := strings.TrimSuffix(strings.TrimSuffix(g.base, "/"), "/v1") // as the settings of OpenAI's clients have it
	req, err := http.NewRequestWithContext(ctx, method, base+"/api/llm/"+path, bytes.NewReader(text))
	if err != nil || req.URL.Host == "" || !strings.HasPrefix(req.URL.Scheme, "http") {
		return nil, fmt.Errorf("--url %q: write an address such as http://localhost:8099", g.base)
	}
	maps.Copy(req.Header, header)
	if key := os.Getenv("FLUIDMCP_API_KEY"); key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		return nil, fmt.Errorf("%w; SSL_CERT_FILE names a file with a certificate to trust", err)
	}
	if err != nil && strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") { // net/http has no type for it
		return nil, fmt.Errorf("%s does not speak HTTPS: write --url http://%s", req.URL.Host, req.URL.Host)
	}
	if err != nil {
		return nil, fmt.Errorf("%w; is FluidMCP running there? `fluidmcp run FILE --start-server` starts it, --url names another address", err)
	}
	if resp.StatusCode < http.StatusBadRequest {
		return resp, nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	return nil, failure(resp, body)
}

// failure takes the message out of an OpenAI error envelope.
func failure(resp *http.Response, body []byte) error {
	var envelope struct {
		Error struct{ Message, Code string }
	}
	if host := resp.Request.URL.Host; resp.StatusCode == http.StatusBadRequest && bytes.Contains(body, []byte("HTTP request to an HTTPS server")) { // net/http's words
		return fmt.Errorf("%s speaks HTTPS: write --url https://%s", host, host)
	}
	if json.Unmarshal(body, &envelope) != nil || envelope.Error.Message == "" {
		return fmt.Errorf("%s: %s; is that address a gateway's?", resp.Status, bytes.TrimSpace(body))
	}
	if envelope.Error.Code == "model_not_found" {
		return fmt.Errorf("%s `fluidmcp ps` lists them", envelope.Error.Message)
	}
	if resp.StatusCode == http.StatusUnauthorized || envelope.Error.Code == "insufficient_scope" {
		return fmt.Errorf("%s Set FLUIDMCP_API_KEY to a key with the scope admin", envelope.Error.Message)
	}
	return errors.New(envelope.Error.Message)
}

package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/loadtest/client"
)

// address is what /chat/completions and the like are put behind. An endpoint that stands there already is taken off.
func (c *Config) address() (*url.URL, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("--url: write an address such as http://localhost:8099")
	}
	if u.RawQuery != "" {
		return nil, errors.New("--url: leave out the query")
	}
	path := strings.TrimSuffix(u.Path, "/")
	if above, ok := strings.CutSuffix(path, "/completions"); ok {
		path = strings.TrimSuffix(above, "/chat")
	}
	u.Path = strings.TrimSuffix(path, "/v1") + "/v1"
	u.Fragment = ""
	return u, nil
}

func (c *Config) path() string {
	if c.Endpoint == "chat" {
		return "/chat/completions"
	}
	return "/completions"
}

// patience bounds the question for the models.
const patience = 10 * time.Second

// Models asks the server which models it has. The error of an unreachable one tells so before any load is sent.
func (c *Config) Models(ctx context.Context) ([]string, error) {
	base, err := c.address()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.String()+"/models", nil)
	if err != nil {
		return nil, err
	}
	if c.APIKey != "" {
		req.Header.Set("Authorization", "Bearer "+c.APIKey)
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if errors.Is(err, context.Canceled) {
		return nil, errors.New("ended before the server told its models")
	}
	if err != nil {
		return nil, fmt.Errorf("%w; is a server running there? `fluidmcp run FILE --start-server` starts one, --url names another address", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return nil, fmt.Errorf("read %s/models: %w", base.Redacted(), err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s/models answered %s: %s; --model names the model without asking, --api-key sends a key", base.Redacted(), resp.Status, client.OneLine(string(body)))
	}
	var list struct {
		Data []struct{ ID string }
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("%s/models is no list of models: %w; --model names the model without asking", base.Redacted(), err)
	}
	var names []string
	for _, m := range list.Data {
		names = append(names, client.OneLine(m.ID))
	}
	return names, nil
}

// onlyModel is the server's model, if it has one.
func (c *Config) onlyModel(ctx context.Context) (string, error) {
	names, err := c.Models(ctx)
	switch {
	case err != nil:
		return "", err
	case len(names) == 0:
		return "", errors.New("the server has no model")
	case len(names) > 1:
		return "", fmt.Errorf("the server has %d models; choose one with --model: %s", len(names), strings.Join(names, ", "))
	}
	return names[0], nil
}

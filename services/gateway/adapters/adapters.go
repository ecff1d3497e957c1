package adapters

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	fresh    = 5 * time.Second // how long an answer is believed
	patience = 2 * time.Second // with a server that is asked
	maxList  = 1 << 20         // bytes of an answer
	maxKnown = 1024            // servers that are remembered
)

// Adapters asks servers and remembers for a moment what they said.
type Adapters struct {
	transport http.RoundTripper

	mu    sync.Mutex
	known map[string]list // by the base URL of a server
}

type list struct {
	names []string
	until time.Time
}

// New returns one that knows nothing yet.
func New(transport http.RoundTripper) *Adapters {
	return &Adapters{transport: transport, known: map[string]list{}}
}

// Has tells whether a server has an adapter of that name. base is its URL without the API version; key is sent as bearer token
// when set. A server that does not tell has none.
func (a *Adapters) Has(ctx context.Context, base *url.URL, key, name string) bool {
	at, now := base.String(), time.Now()
	a.mu.Lock()
	said, ok := a.known[at]
	a.mu.Unlock()
	if !ok || now.After(said.until) {
		names, err := a.ask(ctx, at, key)
		if err != nil && ctx.Err() != nil {
			return false // nobody waits any more, which tells nothing of the server
		}
		said = list{names, now.Add(fresh)}
		a.remember(at, said)
	}
	return slices.Contains(said.names, name)
}

func (a *Adapters) remember(at string, said list) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.known) >= maxKnown { // addresses come and go
		clear(a.known)
	}
	a.known[at] = said
}

// ask reads the list of models of a server. The card of an adapter has a parent (vLLM's ModelCard); the other models of a server
// are not the model that was asked for, and may be dearer.
func (a *Adapters) ask(ctx context.Context, base, key string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/v1/models", nil)
	if err != nil {
		return nil, fmt.Errorf("list the models of %s: %w", base, err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := a.transport.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("list the models of %s: %w", base, err)
	}
	defer resp.Body.Close()
	var models struct {
		Data []struct {
			ID     string  `json:"id"`
			Parent *string `json:"parent"`
		} `json:"data"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxList)).Decode(&models); err != nil {
		return nil, fmt.Errorf("list the models of %s: %w", base, err)
	}
	var names []string
	for _, m := range models.Data {
		if m.Parent != nil {
			names = append(names, m.ID)
		}
	}
	return names, nil
}

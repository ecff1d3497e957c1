package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/sse"
)

const (
	// maxSnapshot bounds one snapshot. A thousand models with a few backends each are under a megabyte.
	maxSnapshot = 16 << 20
	// watchSilence is how long a feed may say nothing; the supervisor sends a comment every KeepAlive.
	watchSilence = 3 * KeepAlive
	// KeepAlive is the interval of the comments in a quiet feed.
	KeepAlive = 5 * time.Second
	// retryMin and retryMax bound the wait between two attempts to reach the supervisor.
	retryMin = 100 * time.Millisecond
	retryMax = 2 * time.Second
)

// Client talks to a supervisor.
type Client struct {
	URL   string       // base URL of the supervisor: http://127.0.0.1:8098
	Token string       // sent as bearer token when set
	HTTP  *http.Client // nil means http.DefaultClient; it must not have a total timeout, a watch lasts for ever
}

// Watch calls apply for each snapshot as it comes and lost when the feed breaks, and connects again until ctx ends.
// It returns the error of ctx. Both functions are called from the goroutine of Watch.
func (c *Client) Watch(ctx context.Context, apply func(Snapshot), lost func(error)) error {
	wait := retryMin
	for {
		err := c.watchOnce(ctx, func(s Snapshot) {
			wait = retryMin
			apply(s)
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		lost(err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, retryMax)
	}
}

// watchOnce follows one connection to its end, which is always an error.
func (c *Client) watchOnce(ctx context.Context, apply func(Snapshot)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(watchSilence, func() { cancel(fmt.Errorf("fleet feed silent for %s", watchSilence)) })
	defer silence.Stop()

	resp, err := c.do(ctx, http.MethodGet, "/v1/fleet?watch=1", nil)
	if err != nil {
		return feedError(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return unexpected("watch the fleet", resp)
	}
	frames := sse.NewReader(resp.Body, maxSnapshot)
	for {
		frame, err := frames.Next()
		if err != nil {
			return feedError(ctx, err)
		}
		silence.Reset(watchSilence)
		if frame.Data == nil {
			continue // a keep-alive comment
		}
		var s Snapshot
		if err := json.Unmarshal(frame.Data, &s); err != nil {
			return fmt.Errorf("decode fleet snapshot: %w", err)
		}
		apply(s)
	}
}

func feedError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return fmt.Errorf("watch the fleet: %w", err)
}

// Heartbeat reports the state of the gateway with the given id.
func (c *Client) Heartbeat(ctx context.Context, id string, hb Heartbeat) error {
	body, err := json.Marshal(hb)
	if err != nil {
		return fmt.Errorf("encode heartbeat: %w", err)
	}
	return c.tell(ctx, "send heartbeat", http.MethodPost, "/v1/gateways/"+url.PathEscape(id)+"/heartbeat", body)
}

// Leave says that the gateway with the given id ends and is not to be waited for.
func (c *Client) Leave(ctx context.Context, id string) error {
	return c.tell(ctx, "leave the fleet", http.MethodDelete, "/v1/gateways/"+url.PathEscape(id), nil)
}

// tell sends what has no answer.
func (c *Client) tell(ctx context.Context, doing, method, path string, body []byte) error {
	resp, err := c.do(ctx, method, path, body)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return unexpected(doing, resp)
	}
	return nil
}

func (c *Client) do(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	return client.Do(req)
}

func unexpected(doing string, resp *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(resp.Body, 300))
	return errors.Join(fmt.Errorf("%s: supervisor answered %s: %s", doing, resp.Status, text), err)
}

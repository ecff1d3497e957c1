package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

const (
	// patience is how long the engine may take for what it does at once. Starting a container is the slowest of that.
	patience = 30 * time.Second
	// maxAnswer bounds what is read of an answer. A thousand containers in a list take about two megabytes.
	maxAnswer = 16 << 20
	// oldest is the API version of Engine 20.10, for an engine that does not tell its own.
	oldest = "1.41"
)

// Error is an answer of the engine that says no.
type Error struct {
	Status  int    // of HTTP
	Message string // the engine's own
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// NotFound tells whether err says that there is no such container.
func NotFound(err error) bool {
	no, ok := errors.AsType[*Error](err)
	return ok && no.Status == http.StatusNotFound
}

// Client speaks to one engine. It is safe for concurrent use.
type Client struct {
	socket  string
	http    *http.Client
	version atomic.Pointer[string] // of the API, as the engine told; nil until it did
}

// New returns a client for the engine at a unix socket. It connects with the first call.
func New(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	return &Client{socket: socket, http: &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute}}}
}

// Close ends the connections that are not in use.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Ping asks whether the engine answers, and for its version of the API.
func (c *Client) Ping(ctx context.Context) (version string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	resp, err := c.send(ctx, http.MethodGet, "/_ping", nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	version = cmp.Or(resp.Header.Get("Api-Version"), oldest)
	c.version.Store(&version)
	return version, nil
}

// call sends a request in the engine's own version of the API and decodes its answer into v, unless that is nil.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, v any) error {
	resp, err := c.open(ctx, method, path, query)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if v == nil {
		return nil
	}
	return decode(resp, v)
}

func decode(resp *http.Response, v any) error {
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(v); err != nil {
		return fmt.Errorf("read the engine's answer to %s %s: %w", resp.Request.Method, resp.Request.URL.Path, err)
	}
	return nil
}

// quick is call for what the engine does at once.
func (c *Client) quick(ctx context.Context, method, path string, query url.Values, v any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.call(ctx, method, path, query, v)
}

// open is call for an answer that the caller reads and closes.
func (c *Client) open(ctx context.Context, method, path string, query url.Values) (*http.Response, error) {
	known := c.version.Load()
	if known == nil {
		version, err := c.Ping(ctx)
		if err != nil {
			return nil, err
		}
		known = &version
	}
	resp, err := c.send(ctx, method, "/v"+*known+path, query)
	if _, no := errors.AsType[*Error](err); err != nil && !no {
		c.version.Store(nil) // another engine may come in its place
	}
	return resp, err
}

func (c *Client) send(ctx context.Context, method, path string, query url.Values) (*http.Response, error) {
	at := url.URL{Scheme: "http", Host: "engine", Path: path, RawQuery: query.Encode()} // the host is a formality
	req, err := http.NewRequestWithContext(ctx, method, at.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the Docker engine at %s: %w", c.socket, bare(err))
	}
	if resp.StatusCode < http.StatusBadRequest {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, refusal(resp)
}

// bare drops method and URL, which say nothing to people.
func bare(err error) error {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		return outer.Err
	}
	return err
}

func refusal(resp *http.Response) error {
	var told struct {
		Message string `json:"message"`
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&told) // one that is not JSON has its status to say
	return &Error{Status: resp.StatusCode, Message: cmp.Or(told.Message, "the Docker engine answered "+resp.Status)}
}

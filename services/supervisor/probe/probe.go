package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// timeout bounds one question. A busy vLLM answers /health in milliseconds, from a process that does not compute.
const timeout = 5 * time.Second

// maxModels bounds what is read of a list of models.
const maxModels = 4 << 20

// Target is one model server.
type Target struct {
	URL    string       // base without the API version
	Name   string       // has to be among its models when it gets ready; "" when not known
	Key    string       // sent as bearer token when set
	Client *http.Client // must not follow redirects, see NewClient
}

// NewClient returns a client for any number of targets. Each question has a connection of its own, so that none can wait on one
// that the server has closed (vLLM does after five idle seconds).
func NewClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Result is the answer to a health check.
type Result struct {
	Status  int           // of GET /health, or of GET /v1/models where there is no /health; 0 without an answer
	Latency time.Duration // until that answer
	Err     error         // why the server is not well; nil when it is
}

// Alive asks /health. A server that has no such path, as those of other makers, is judged by its list of models.
func (t Target) Alive(ctx context.Context) Result {
	begin := time.Now()
	status, _, err := t.get(ctx, "/health")
	if err == nil && status == http.StatusNotFound {
		status, _, err = t.get(ctx, "/v1/models")
	}
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("health check answered %d %s", status, http.StatusText(status))
	}
	return Result{Status: status, Latency: time.Since(begin), Err: err}
}

// Ready is Alive and the model being served.
func (t Target) Ready(ctx context.Context) Result {
	result := t.Alive(ctx)
	if result.Err == nil && t.Name != "" {
		result.Err = t.serves(ctx)
	}
	return result
}

func (t Target) serves(ctx context.Context) error {
	status, body, err := t.get(ctx, "/v1/models")
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("list of models answered %d %s", status, http.StatusText(status))
	}
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return fmt.Errorf("decode list of models: %w", err)
	}
	names := make([]string, len(list.Data))
	for i, m := range list.Data {
		names[i] = m.ID
	}
	if !slices.Contains(names, t.Name) {
		return fmt.Errorf("the server does not serve %q but %s", t.Name, strings.Join(names, ", "))
	}
	return nil
}

func (t Target) get(ctx context.Context, path string) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	resp, err := t.ask(ctx, http.MethodGet, path)
	if err != nil {
		return 0, nil, plain(err, timeout)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxModels))
	if err != nil {
		return 0, nil, plain(err, timeout)
	}
	return resp.StatusCode, body, nil
}

func (t Target) ask(ctx context.Context, method, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, t.URL+path, nil)
	if err != nil {
		return nil, err
	}
	if t.Key != "" {
		req.Header.Set("Authorization", "Bearer "+t.Key)
	}
	return t.Client.Do(req)
}

// plain words a failure without the ports of this machine's side, so that the same failure always reads the same.
func plain(err error, patience time.Duration) error {
	var dns *net.DNSError
	var number syscall.Errno
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("no answer within %s", patience)
	case errors.As(err, &dns):
		return fmt.Errorf("look up %s: %s", dns.Name, dns.Err)
	case errors.As(err, &number):
		return number
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("connection closed without an answer")
	}
	return err
}

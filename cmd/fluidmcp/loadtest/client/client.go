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
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// Config says where requests go.
type Config struct {
	URL     string        // of the endpoint
	APIKey  string        // "" sends none
	Stream  bool          // answers are event streams
	Timeout time.Duration // of one request, from its sending to the end of its answer
}

// Client sends requests. It is safe for concurrent use.
type Client struct {
	cfg  Config
	http *http.Client
}

// idle is how long a connection is kept for another request: shorter than the five seconds after which vLLM closes it, so
// that no request is sent into a closing connection.
const idle = 4 * time.Second

// New makes a client that keeps up to connections open.
func New(cfg Config, connections int) *Client {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost: connections,
		IdleConnTimeout:     idle,
		DisableCompression:  true, // a compressor holds tokens back
	}
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{cfg, &http.Client{Transport: transport, CheckRedirect: noRedirect}}
}

// Close closes the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Send sends one request. When ctx ends the sample is Cut.
func (c *Client) Send(ctx context.Context, id string, body []byte) *Sample {
	limited, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	s := &Sample{ID: id, Sent: time.Now()}
	outcome, err := c.exchange(limited, cancel, s, body)
	if s.Done.IsZero() {
		s.Done = time.Now()
	}
	s.Outcome = outcome
	if outcome == OK {
		return s
	}
	switch {
	case ctx.Err() != nil:
		s.Outcome = Cut
	case limited.Err() != nil:
		s.Outcome, err = Timeout, fmt.Errorf("no complete answer within %s", c.cfg.Timeout)
	}
	s.Detail = OneLine(err.Error())
	return s
}

// exchange returns the outcome that err has when the context has not ended.
func (c *Client) exchange(ctx context.Context, cancel context.CancelFunc, s *Sample, body []byte) (Outcome, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return Connect, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Request-Id", s.ID)
	if c.cfg.APIKey != "" {
		req.Header.Set("Authorization", "Bearer "+c.cfg.APIKey)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return sendFailure(err), err
	}
	defer resp.Body.Close()
	s.Status = resp.StatusCode
	if resp.StatusCode != http.StatusOK {
		return Outcome(fmt.Sprintf("http_%d", resp.StatusCode)), refusal(resp)
	}
	if c.cfg.Stream {
		return readStream(s, resp, cancel)
	}
	return readPlain(s, resp)
}

func sendFailure(err error) Outcome {
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.EADDRNOTAVAIL) {
		return ClientLimit
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return Connect
	}
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted || errors.Is(err, http.ErrSchemeMismatch) {
		return Connect
	}
	return Disconnected
}

// Bytes that are read of one whole answer, and of one frame of a stream: a broken server is not to fill the memory.
const (
	most         = 64 << 20
	longestFrame = 1 << 20
)

// refusal is what an answer with another status than 200 says, as far as it says anything.
func refusal(resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // the status alone is enough
	if message := errorMessage(body); message != "" {
		return errors.New(message)
	}
	return fmt.Errorf("%s %s", resp.Status, body)
}

// errorMessage takes the message out of an OpenAI error envelope, or out of FastAPI's.
func errorMessage(body []byte) string {
	var envelope struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"` // vLLM's form in former days
		Detail  string          `json:"detail"`
	}
	if json.Unmarshal(body, &envelope) != nil {
		return ""
	}
	var inner struct {
		Message string `json:"message"`
	}
	var text string
	switch {
	case json.Unmarshal(envelope.Error, &inner) == nil && inner.Message != "":
		return inner.Message
	case json.Unmarshal(envelope.Error, &text) == nil && text != "":
		return text
	}
	return cmp.Or(envelope.Message, envelope.Detail)
}

// OneLine makes of a server's words one line that a table can hold, without what a terminal would obey.
func OneLine(text string) string {
	const longest = 300
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if len(text) > longest {
		return strings.ToValidUTF8(text[:longest], "") + "..."
	}
	return text
}

package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/httpfield"
	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/services/gateway/admission"
	"github.com/fluidmcp/fluidmcp/services/gateway/refusal"
	"github.com/fluidmcp/fluidmcp/services/gateway/relay"
	"github.com/fluidmcp/fluidmcp/services/gateway/routing"
)

// The headers by which a client says how urgent its request is.
const (
	priorityHeader = "X-Fluidmcp-Priority" // a whole number, higher ones go first
	timeoutHeader  = "X-Request-Timeout"   // seconds, or a duration such as 1m30s
)

// errDeadline is the cause of a request's context that its own deadline ended.
var errDeadline = &openai.Error{Status: http.StatusGatewayTimeout, Type: openai.TypeTimeout, Code: "deadline_exceeded",
	Message: "The request was not answered within the time that its " + timeoutHeader + " allows."}

// limited bounds a request by the deadline that it sets itself.
func limited(r *http.Request) (*http.Request, context.CancelFunc, error) {
	text := httpfield.First(r.Header, timeoutHeader)
	if text == "" {
		return r, func() {}, nil
	}
	limit, err := time.ParseDuration(text)
	if seconds, notSeconds := strconv.ParseFloat(text, 64); notSeconds == nil {
		limit, err = time.Duration(min(seconds, 1e9)*float64(time.Second)), nil
	}
	if err != nil || limit <= 0 {
		return nil, nil, refusal.BadRequest("invalid_timeout", "", fmt.Sprintf("%s: %.20q is no time. Give seconds, such as 30, or a duration, such as 1m30s.", timeoutHeader, text))
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), limit, errDeadline)
	return r.WithContext(ctx), cancel, nil
}

// enter takes a request with estimated tokens from the limits of its key.
func (c *call) enter(w http.ResponseWriter, tokens int) error {
	k := c.key
	if k == nil {
		return nil
	}
	var figures admission.Figures
	var err error
	if c.lease.Held() {
		figures, err = c.lease.Reserve(tokens)
	} else {
		quota := admission.Quota{RequestsPerMinute: k.RequestsPerMinute, TokensPerMinute: k.TokensPerMinute, ConcurrentRequests: k.ConcurrentRequests}
		c.lease, figures, err = c.g.quotas.Admit(k.ID, quota, tokens)
	}
	figures.SetHeaders(w.Header())
	if err != nil {
		return c.limited(w, err)
	}
	return nil
}

// admit is step 3: within the limits of the key, and with a ticket for its turn at a model.
func (g *Gateway) admit(w http.ResponseWriter, r *http.Request, c *call, q *query) (err error) {
	if k := c.key; k != nil {
		q.turn.Key, q.turn.Priority = k.ID, k.Priority
	}
	if q.turn.Priority, err = admission.Priority(q.turn.Priority, httpfield.First(r.Header, priorityHeader)); err != nil {
		return refusal.BadRequest("invalid_priority", "", priorityHeader+": "+err.Error()+".")
	}
	if c.key != nil && c.key.TokensPerMinute > 0 { // who has no limit of them needs no look through the body
		c.reserved = q.tokens()
	}
	if err := c.enter(w, c.reserved); err != nil {
		return err
	}
	if q.stream && q.endpoint.End != relay.EndOfTransfer && (q.model.Limits.KeepAlive || c.key != nil && c.key.KeepAlive) {
		c.waiting = relay.NewKeepAlive(w)
		q.turn.Tick, q.turn.Every = c.waiting.Comment, g.cfg.KeepAliveInterval
	}
	return nil
}

// limited is the answer to a request over the limits of its key.
func (c *call) limited(w http.ResponseWriter, err error) error {
	over, ok := errors.AsType[*admission.LimitError](err)
	if !ok {
		return err
	}
	c.g.metrics.RateLimited.WithLabelValues(c.metrics().Label, string(over.Limit)).Inc()
	kind := string(over.Limit) // as OpenAI names the type
	if over.Limit == admission.Concurrent {
		kind = string(admission.Requests)
	}
	if over.RetryAfter == 0 {
		w.Header().Set("X-Should-Retry", "false")
	}
	return c.fail(reasonRateLimited, &openai.Error{Status: http.StatusTooManyRequests, Type: kind, Code: "rate_limit_exceeded",
		Message: over.Error(), RetryAfter: over.RetryAfter})
}

// noTurn is the answer to a request that was not let through to the model.
func (c *call) noTurn(r *http.Request, m *routing.Model, err error) error {
	full, ok := errors.AsType[*admission.QueueError](err)
	if !ok {
		return c.ended(r, err)
	}
	reason := reasonQueueFull
	e := &openai.Error{Status: http.StatusServiceUnavailable, Type: openai.TypeUnavailable, Code: "queue_full", RetryAfter: full.RetryAfter,
		Message: fmt.Sprintf("The model %q has all its requests running and %d waiting. Try again later.", full.Model, full.Queued)}
	switch {
	case full.Shut:
		e = refusal.Unavailable(c.g.current(m).Model)
		if errors.Is(err, admission.ErrShut) {
			reason = reasonNoBackend
		} else {
			e.Message += fmt.Sprintf(" %d requests wait for it already.", full.Queued)
		}
	case errors.Is(err, admission.ErrShut): // it is there again by now
		reason, e = reasonNoBackend, refusal.Unavailable(m.Model)
	case errors.Is(err, admission.ErrQueueTimeout):
		e.Code = "queue_timeout"
		e.Message = fmt.Sprintf("The request waited %s for its turn at the model %q. Try again later.", full.Waited.Round(time.Millisecond), full.Model)
	}
	if reason == reasonQueueFull || full.Waited > 0 {
		c.queued(full.Waited)
	}
	return c.fail(reason, e)
}

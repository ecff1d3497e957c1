package gateway

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/fluidmcp/fluidmcp/internal/anthropic"
	"github.com/fluidmcp/fluidmcp/internal/openai"
	"github.com/fluidmcp/fluidmcp/internal/web"
	"github.com/fluidmcp/fluidmcp/services/gateway/admission"
	"github.com/fluidmcp/fluidmcp/services/gateway/endpoint"
	"github.com/fluidmcp/fluidmcp/services/gateway/keys"
	"github.com/fluidmcp/fluidmcp/services/gateway/metrics"
	"github.com/fluidmcp/fluidmcp/services/gateway/relay"
)

// The reasons of fluidmcp_errors_total.
const (
	reasonBadRequest   = "bad_request"   // refused here: unknown model or path, wrong method, bad or too large body
	reasonNoBackend    = "no_backend"    // the model has no server for new requests, or the fleet is not known yet
	reasonConnect      = "connect"       // no server could be reached
	reasonTimeout      = "timeout"       // no first byte in time
	reasonInterrupted  = "interrupted"   // the server broke off or fell silent
	reasonUpstream4xx  = "upstream_4xx"  // the server refused the request
	reasonUpstream5xx  = "upstream_5xx"  // the server failed
	reasonStreamError  = "stream_error"  // the server put an error into its stream
	reasonClientClosed = "client_closed" // the client left
	reasonInternal     = "internal"      // a defect of the gateway
	reasonStopping     = "stopping"      // the gateway ended the request because it stops
	reasonAuth         = "auth"          // no key, an unknown one, or one that may not do this
	reasonRateLimited  = "rate_limited"  // over a limit of the key
	reasonOverloaded   = "overloaded"    // the large requests of all clients took the memory that they may, or the gateway has no descriptor left
	reasonQueueFull    = "queue_full"    // no turn at the model: the queue was full, or the wait too long
	reasonDeadline     = "deadline"      // the deadline that the request has set was over
)

var reasons = []string{reasonBadRequest, reasonNoBackend, reasonConnect, reasonTimeout, reasonInterrupted, reasonUpstream4xx,
	reasonUpstream5xx, reasonStreamError, reasonClientClosed, reasonInternal, reasonStopping, reasonAuth, reasonRateLimited,
	reasonQueueFull, reasonDeadline, reasonOverloaded}

// call is one inference request on its way, as metrics and log will tell of it. It belongs to one goroutine.
type call struct {
	g        *Gateway
	started  time.Time
	model    string           // id of a declared model; "" until resolved
	endpoint string           // label of the route family
	reason   string           // of fluidmcp_errors_total; "" while all is well
	key      *keys.Key        // nil where everyone may ask
	lease    admission.Lease  // of the limits of the key; from before a large body is read
	waiting  *relay.KeepAlive // for clients that want to hear while they wait; else nil

	last     bool // no other model will be asked
	attempts int
	backend  string        // of the last attempt
	dead     []string      // backends of the last turn that could not be reached or broke off
	waited   time.Duration // for the client's body, its turn and the backends
	ttft     time.Duration
	reserved int                 // tokens, of the key
	tokens   int                 // that passed in a stream, or a few less where the server sends several at once
	gaps     prometheus.Observer // between tokens; nil before the first
	served   bool                // a backend's answer was at hand
	stream   bool
	result   relay.Result
}

// counted makes a handler one that is recorded exactly once, whatever becomes of the request.
func (g *Gateway) counted(h func(w http.ResponseWriter, r *http.Request, c *call) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := web.RecordOf(r.Context())
		c := &call{g: g, started: rec.Started, endpoint: "other"}
		returned := false
		defer func() { c.record(rec, returned) }() // also when a broken answer or a defect ends the handler by panic
		write := (*openai.Error).Write
		if endpoint.Anthropic(r.URL.Path) {
			write = anthropic.Write
			w.Header().Set("Request-Id", rec.ID) // where Anthropic's SDKs look for it
		}
		web.Handler(func(w http.ResponseWriter, r *http.Request) error { return c.serve(h, w, r) }).Serve(w, r, write)
		returned = true
	})
}

// serve runs the handler for who may ask, within the time that the request has set.
func (c *call) serve(h func(w http.ResponseWriter, r *http.Request, c *call) error, w http.ResponseWriter, r *http.Request) error {
	var err error
	if c.key, err = c.g.doors.Identify(r, c.started); err != nil {
		c.reason = reasonAuth
		return keys.Challenge(w, err)
	}
	r, cancel, err := limited(r)
	if err != nil {
		return err
	}
	defer cancel()
	return h(w, r, c)
}

// took is the time since the request began. It asks one clock, where time.Now asks two.
func (c *call) took() time.Duration { return time.Since(c.started) }

// metrics are the series of the model. One that left the fleet meanwhile gets no series again.
func (c *call) metrics() *metrics.Model { return c.g.metrics.Of(c.model) }

// fail notes why the request failed.
func (c *call) fail(reason string, err *openai.Error) error {
	c.reason = reason
	return err
}

// tried notes one attempt.
func (c *call) tried(backend, outcome string) {
	c.attempts++
	c.backend = backend
	c.metrics().Attempted(backend, outcome)
}

// answered notes the answer that the client is about to get.
func (c *call) answered(a *try) {
	c.served, c.stream = true, a.answer.Stream
	switch {
	case a.answer.Status >= http.StatusInternalServerError:
		c.reason = reasonUpstream5xx
	case a.answer.Status >= http.StatusBadRequest:
		c.reason = reasonUpstream4xx
	}
	c.metrics().Overhead.Observe((c.took() - c.waited).Seconds())
}

// FirstToken is called by the relay.
func (c *call) FirstToken() {
	c.tokens++
	c.ttft = c.took()
	of := c.metrics()
	of.FirstToken.Observe(c.ttft.Seconds())
	c.gaps = of.InterToken
}

// NextToken is called by the relay.
func (c *call) NextToken(gap time.Duration) {
	c.tokens++
	c.gaps.Observe(gap.Seconds())
}

// finished notes how the answer ended.
func (c *call) finished(result relay.Result) {
	c.result = result
	switch result.Outcome {
	case relay.Interrupted:
		c.reason = reasonInterrupted
		switch {
		case errors.Is(result.Err, web.ErrStopping):
			c.reason = reasonStopping
		case errors.Is(result.Err, errDeadline):
			c.reason = reasonDeadline
		}
	case relay.Failed:
		c.reason = cmp.Or(c.reason, reasonStreamError) // the status of a refusal tells more
	case relay.ClientClosed:
		c.reason = reasonClientClosed
	}
}

// queued notes how long the request waited for its turn.
func (c *call) queued(waited time.Duration) {
	c.waited += waited
	c.metrics().QueueWait.Observe(waited.Seconds())
}

// used is how many tokens the request has cost: -1, for as many as it was estimated to, when its server did not tell. A stream that
// breaks off tells by what came of it: who leaves before the end has had it all the same.
func (c *call) used() int {
	switch {
	case c.result.Usage != relay.Usage{}:
		return c.result.Usage.Prompt + c.result.Usage.Completion
	case !c.served || c.reason == reasonUpstream4xx || c.reason == reasonUpstream5xx:
		return 0 // nothing was generated
	case c.tokens > c.reserved:
		return c.tokens
	}
	return -1
}

// record is step 6: one set of metrics and the fields of the log line.
func (c *call) record(rec *web.Record, returned bool) {
	switch {
	case c.reason == reasonClientClosed:
		rec.Status = web.StatusClientClosed
	case rec.Status == 0 && !returned:
		rec.Status, c.reason = http.StatusInternalServerError, reasonInternal
	case rec.Status == 0:
		rec.Status = http.StatusOK // net/http sends it for a handler that wrote nothing
	}
	status := rec.Status
	c.reason = c.reasonFor(status)
	m, of := c.g.metrics, c.metrics()
	model := of.Label
	of.Ended(c.endpoint, status, rec.Took())
	if c.reason != "" {
		m.Errors.WithLabelValues(model, c.reason).Inc()
	}
	if c.stream {
		m.Streams.WithLabelValues(model, string(c.result.Outcome)).Inc()
	}
	if usage := c.result.Usage; usage != (relay.Usage{}) {
		of.Prompt.Add(float64(usage.Prompt))
		of.Completion.Add(float64(usage.Completion))
	}
	c.log(rec, model)
}

// reasonFor fills in the reason of a failure that no step has named.
func (c *call) reasonFor(status int) string {
	switch {
	case c.reason != "":
		return c.reason
	case status == web.StatusClientClosed:
		return reasonClientClosed
	case status == http.StatusServiceUnavailable:
		return reasonNoBackend
	case status >= http.StatusBadRequest && status < http.StatusInternalServerError:
		return reasonBadRequest
	}
	return ""
}

// log fills in the log line.
func (c *call) log(rec *web.Record, model string) {
	rec.Add(zap.String("model", model), zap.String("endpoint", c.endpoint))
	if c.key != nil {
		rec.Add(zap.String("key", c.key.ID))
	}
	if c.attempts > 0 {
		rec.Add(zap.String("backend", c.backend), zap.Int("attempts", c.attempts))
	}
	if c.stream {
		rec.Add(zap.String("stream", string(c.result.Outcome)), zap.Duration("first_token", c.ttft))
	}
	if c.reason != "" {
		rec.Add(zap.String("reason", c.reason))
	}
	if u := c.result.Usage; u != (relay.Usage{}) {
		rec.Add(zap.Int("prompt_tokens", u.Prompt), zap.Int("completion_tokens", u.Completion))
	}
}

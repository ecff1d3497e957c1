package control

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/answers"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine/clock"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults/wire"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
)

// Faulty puts the rules of the injector before all routes of vLLM. The mock's own are never hit.
func (c *Control) Faulty(generates map[string]bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		possible := c.life.Faults.Any() || r.Header[faults.Header] != nil
		if !possible || strings.HasPrefix(r.URL.Path, Paths) || !c.strikes(w, r, generates[r.Method+" "+r.URL.Path], next) {
			next.ServeHTTP(w, r)
		}
	})
}

// strikes does what the rules want to be done to a request. It returns false when they want nothing: then its large frame
// is not in memory while next runs.
func (c *Control) strikes(w http.ResponseWriter, r *http.Request, generates bool, next http.Handler) bool {
	do, err := c.decide(r, generates)
	switch {
	case err != nil:
		fastapi.Refuse(w, protocol.BadRequest("%s: %v", faults.Header, err))
		return true
	case do == faults.Action{}:
		return false
	}
	if do.Delay > 0 {
		buffer(r) // net/http does not notice that a client leaves while its body is unread
		if !c.sleep(r.Context(), time.Duration(do.Delay)) {
			return true
		}
	}
	if at := do.Crash; at != nil && *at == 0 {
		c.life.Die(faults.Killed)
	} else if at := do.OOM; at != nil && *at == 0 {
		c.life.Die(faults.OutOfMemory)
	}
	if do.Breaks() && !c.life.Dead() {
		broken := wire.New(w, do, c.means(r))
		defer func() {
			broken.Finish()
			entry := journal.Of(r.Context())
			switch {
			case broken.Broken():
				entry.Broken(journal.ByFault)
				entry.Sent(broken.Status())
			case broken.Incomplete():
				entry.Left()
			}
		}()
		w = broken
	}
	switch {
	case do.Status == 0:
		next.ServeHTTP(w, r)
	case do.Body != nil:
		retryAfter(w.Header(), do)
		w.Header().Set("Content-Length", strconv.Itoa(len(*do.Body)))
		w.WriteHeader(do.Status)
		_, _ = io.WriteString(w, *do.Body) // the client may have left; there is nobody else to tell
	default:
		retryAfter(w.Header(), do)
		refuser(r)(w, faultError(do))
	}
	return true
}

// decide asks the rules, and the request's own header. It reads the body when a rule wants to know the model.
func (c *Control) decide(r *http.Request, generates bool) (faults.Action, error) {
	asked := faults.Request{Path: r.URL.Path, Generates: generates, Header: r.Header}
	if scheme, key, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "bearer") {
		asked.Key = key
	}
	if generates && c.life.Faults.NeedsModel() {
		asked.Model = c.modelOf(r)
	}
	decided := c.life.Faults.Decide(asked, c.clock.Now())
	do := decided.Action
	if decided.Rules != nil {
		journal.Of(r.Context()).Hit(decided.Rules)
	}
	own := strings.Join(r.Header.Values(faults.Header), ",") // as RFC 9110 reads a field that is there twice
	if own == "" {
		return do, nil
	}
	more, err := faults.ParseHeader(own)
	return do.With(more), err
}

// buffer reads the body, which stays to be read.
func buffer(r *http.Request) []byte {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	return body
}

// modelOf looks into the body. No model is the first one.
func (c *Control) modelOf(r *http.Request) string {
	var named struct{ Model string }
	_ = json.Unmarshal(buffer(r), &named) // what is no JSON names no model; the handler refuses it
	if named.Model == "" {
		return c.model
	}
	return named.Model
}

// failing is the end of a body: nil is io.EOF.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}

// means are how a broken answer sleeps, and how it ends the engine.
func (c *Control) means(r *http.Request) wire.Means {
	return wire.Means{
		Sleep: func(d time.Duration) bool { return c.sleep(r.Context(), d) },
		Die:   c.life.Die,
		Dead:  func(w http.ResponseWriter) { refuser(r)(w, protocol.Dead()) },
	}
}

// refuser is how the handler of a request tells an error: those of Anthropic's interface have an envelope of their own, also for
// what the engine fails with.
func refuser(r *http.Request) func(http.ResponseWriter, *protocol.Error) {
	if path := r.URL.Path; r.Method == http.MethodPost && (path == "/v1/messages" || path == "/v1/messages/count_tokens") {
		return answers.RefuseMessages
	}
	return fastapi.Refuse
}

// sleep returns false when the client left. It ends early when the server stops, which then refuses the request. A
// negative time is without end. It goes by the timer of the request, which holds a virtual clock when the time is over.
func (c *Control) sleep(ctx context.Context, d time.Duration) bool {
	timer := clock.TimerOf(ctx)
	if timer == nil {
		timer = c.clock.NewTimer()
		defer timer.Stop()
	}
	if d >= 0 {
		timer.Reset(c.clock.Now().Add(d))
	} else {
		timer.Stop()
	}
	select {
	case <-timer.C():
	case <-c.life.Stopping():
	case <-ctx.Done():
		return false
	}
	return true
}

// errorTypes are those of vLLM's own errors, by status. Any other status is told by its name, as vLLM tells its HTTPExceptions. No vLLM
// answers with 429.
var errorTypes = map[int]string{
	http.StatusBadRequest:          protocol.TypeBadRequest,
	http.StatusNotFound:            protocol.TypeNotFound,
	http.StatusUnprocessableEntity: protocol.TypeUnprocessable,
	http.StatusTooManyRequests:     protocol.TypeRateLimit,
	http.StatusInternalServerError: protocol.TypeInternal,
	http.StatusNotImplemented:      protocol.TypeNotImplemented,
}

// faultError has the type that vLLM gives to an error with this status.
func faultError(do faults.Action) *protocol.Error {
	kind := cmp.Or(errorTypes[do.Status], http.StatusText(do.Status), protocol.TypeInternal)
	return &protocol.Error{Status: do.Status, Type: kind, Message: do.Message}
}

func retryAfter(h http.Header, do faults.Action) {
	if do.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(time.Duration(do.RetryAfter).Seconds()))))
	}
}

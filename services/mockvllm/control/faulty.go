package control

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/faults/wire"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol/messages"
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
			if broken.Broken() {
				entry := journal.Of(r.Context())
				entry.Broken(journal.ByFault)
				entry.Sent(broken.Status())
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
		fastapi.Refuse(w, faultError(w.Header(), do))
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
	do := c.life.Faults.Decide(asked, c.clock.Now())
	own := r.Header.Get(faults.Header)
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
		Dead: func(w http.ResponseWriter) {
			if strings.HasPrefix(r.URL.Path, "/v1/messages") {
				dead := protocol.Dead()
				fastapi.Reply(w, dead.Status, messages.ErrorBody(dead))
				return
			}
			fastapi.Refuse(w, protocol.Dead())
		},
	}
}

// sleep returns false when the client left. It ends early when the server stops, which then refuses the request. A
// negative time is without end.
func (c *Control) sleep(ctx context.Context, d time.Duration) bool {
	timer := c.clock.NewTimer()
	defer timer.Stop()
	if d >= 0 {
		timer.Reset(c.clock.Now().Add(d))
	}
	select {
	case <-timer.C():
	case <-c.life.Stopping():
	case <-ctx.Done():
		return false
	}
	return true
}

func faultError(h http.Header, do faults.Action) *protocol.Error {
	e := &protocol.Error{Status: do.Status, Type: protocol.TypeInternal, Message: do.Message}
	if do.Status == http.StatusTooManyRequests {
		e.Type = protocol.TypeRateLimit
	}
	retryAfter(h, do)
	return e
}

func retryAfter(h http.Header, do faults.Action) {
	if do.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(time.Duration(do.RetryAfter).Seconds()))))
	}
}

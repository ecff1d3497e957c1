package answers

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/httpfield"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/engine"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/fastapi"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/generation"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/journal"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/metrics"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/protocol"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema"
)

// Handler makes the handler of an interface.
func (s *Answers) Handler(a *API) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, ok := fastapi.ReadBody(w, r)
		if !ok || s.life.Mute(r.Context()) {
			return
		}
		v, _, err := protocol.Decode(a.Schema, httpfield.First(r.Header, "Content-Type"), body)
		if err != nil {
			a.Refuse(w, err)
			return
		}
		s.Answer(w, r, a, v)
	}
}

// Answer answers a request that is decoded.
func (s *Answers) Answer(w http.ResponseWriter, r *http.Request, a *API, v *schema.Values) {
	g, err := s.read(a, r, v)
	if err != nil {
		a.Refuse(w, err)
		return
	}
	s.Send(w, r, g)
}

// read makes the checks that come before anything is answered.
func (s *Answers) read(a *API, r *http.Request, v *schema.Values) (*Request, *protocol.Error) {
	asked, err := a.Read(v, s.model)
	if err != nil {
		return nil, err
	}
	return s.Prepare(a, r, asked)
}

// Prepare looks for the model and makes the prompts.
func (s *Answers) Prepare(a *API, r *http.Request, asked Asking) (*Request, *protocol.Error) {
	g := &Request{api: a, Asking: asked, Common: asked.Shared()}
	served, adapter, err := s.models.Find(g.Common.Model)
	if err != nil {
		s.LogUnknown(a.Logs, err)
		return nil, err
	}
	sequences := int(g.Common.N)
	if items := g.Common.Items; items != nil {
		sequences = *items
	}
	if err = s.Admit(sequences); err != nil {
		return nil, err
	}
	if g.works, err = asked.Works(); err != nil {
		s.LogTemplate(err)
		return nil, err
	}
	if adapter != nil {
		g.adapter = adapter.Name
	}
	g.Head, g.named = s.Head(r, a.ID, served, g.Common.RequestID)
	return g, nil
}

// Admit turns away what the queue limits leave no place for, and everything once the server ends.
func (s *Answers) Admit(n int) *protocol.Error {
	err := s.engine.Admit(n)
	if s.life.Dead() {
		return protocol.Dead()
	}
	if s.engine.Refusing() {
		return protocol.Stopping()
	}
	if err == nil {
		return nil
	}
	return s.unsubmitted(err)
}

// unsubmitted is what is said when the engine does not take a request.
func (s *Answers) unsubmitted(err error) *protocol.Error {
	var full *engine.OverloadError
	switch {
	case s.life.Dead():
		return protocol.Dead()
	case errors.Is(err, engine.ErrStopping):
		return protocol.Stopping()
	case errors.As(err, &full):
		limit := metrics.MaxQueuedRequests
		if full.Reason == engine.QueuedTokens {
			limit = metrics.MaxQueuedTokens
		}
		s.metrics.Rejected(limit)
		return protocol.Busy()
	}
	return &protocol.Error{Status: http.StatusInternalServerError, Type: protocol.TypeInternal, Message: err.Error()}
}

// Head takes the answer's id from the header, the body or nowhere, and tells whether the client gave it. The id of a
// response, which has no prefix, is not made of the header's.
func (s *Answers) Head(r *http.Request, prefix, served string, fromBody *string) (h protocol.Head, named bool) {
	h = NewHead(served)
	h.Fingerprint = s.fingerprint
	id := ""
	if header := r.Header["X-Request-Id"]; len(header) > 0 && prefix != "" {
		id, named = fastapi.Latin1(header[0]), true
	} else if fromBody != nil {
		id, named = *fromBody, prefix != ""
	} else {
		h.ID = protocol.NewIDAfter(prefix)
		journal.Of(r.Context()).Named(h.ID[len(prefix):])
		return h, false
	}
	journal.Of(r.Context()).Named(id)
	h.ID = prefix + id
	return h, named
}

// NewHead is that of an answer without an id.
func NewHead(served string) protocol.Head {
	return protocol.Head{Created: time.Now().Unix(), Model: served}
}

// Send answers a request in the way that it asks for.
func (s *Answers) Send(w http.ResponseWriter, r *http.Request, g *Request) {
	if g.Common.Stream {
		s.stream(w, r, g)
	} else {
		s.whole(w, r, g)
	}
}

// whole sends an answer once it is over.
func (s *Answers) whole(w http.ResponseWriter, r *http.Request, g *Request) {
	if err := s.submit(r, g); err != nil {
		if r.Context().Err() == nil { // else nobody reads it
			g.api.Refuse(w, err)
		}
		return
	}
	defer s.release(g)
	for !g.over() {
		if !g.wait(r.Context()) {
			return // the client has left
		}
	}
	switch {
	case s.life.Mute(r.Context()):
		return
	case s.life.Dead():
		journal.Of(r.Context()).Broken(journal.ByServer)
		g.api.Refuse(w, s.life.Failed(g.Head.ID))
		return
	}
	if err := s.failure(g); err != nil {
		g.api.Refuse(w, err)
		return
	}
	g.tellAborted(r.Context())
	usage := s.usage(g)
	journal.Of(r.Context()).Tokens(usage.Completion)
	if format := r.Header["Endpoint-Load-Metrics-Format"]; len(format) > 0 && g.api.load {
		s.reportLoad(w.Header(), format[0])
	}
	body := bodies.Get().(*[]byte)
	*body = s.appendBody((*body)[:0], g, usage)
	s.countCalls(g)
	fastapi.Reply(w, http.StatusOK, *body)
	if cap(*body) <= mostBody {
		bodies.Put(body)
	}
}

func (s *Answers) appendBody(b []byte, g *Request, usage protocol.Usage) []byte {
	readers, outs := make([]*generation.Reader, len(g.seqs)), make([]*generation.Output, len(g.seqs))
	for i, seq := range g.seqs {
		n, _ := seq.Progress()
		readers[i] = g.answer(i).Read()
		outs[i] = readers[i].Next(n, true)
	}
	b = g.Asking.AppendBody(b, g.Head, outs, usage, s.timing(g))
	for _, r := range readers {
		r.Release()
	}
	return b
}

// bodies lend memory for answers, and mostBody bounds what is kept of it, in bytes.
var bodies = sync.Pool{New: func() any { b := make([]byte, 0, 1<<10); return &b }}

const mostBody = 16 << 10

// countCalls counts the runs of the tool parser. Anthropic's messages are chats inside of vLLM.
func (s *Answers) countCalls(g *Request) {
	c := metrics.ToolCall{Streaming: g.Common.Stream, API: "chat_completions"}
	if g.api.Schema == Responses.Schema {
		c.API = "responses"
	}
	s.metrics.ParsedTools(c, g.Common.Parsed.Uncalled)
	c.Called = true
	s.metrics.ParsedTools(c, g.Common.Parsed.Called)
}

// reportLoad tells the load in a header, as ORCA wants it: https://github.com/cncf/xds, orca_load_report.proto.
func (s *Answers) reportLoad(h http.Header, format string) {
	load := s.engine.Load()
	waiting, usage := pyjson.Float(float64(load.Waiting)), pyjson.Float(load.CacheUsage)
	told := "TEXT named_metrics.num_requests_waiting=" + waiting + ", named_metrics.kv_cache_usage_perc=" + usage
	switch strings.ToLower(format) {
	case "text":
	case "json":
		told = `JSON {"named_metrics": {"num_requests_waiting": ` + waiting + `, "kv_cache_usage_perc": ` + usage + `}}`
	default:
		return
	}
	h.Set("endpoint-load-metrics", told)
	s.console.Info("orca_metrics.py:65", "Created ORCA header {'endpoint-load-metrics': %s}", pyjson.Repr(told))
}
